import type { Evidence } from '../../engine/evidence.ts';
import { type FactResult, observed } from '../../engine/fact.ts';
import type { FactFailure } from '../../engine/failure.ts';
import { ok } from '../../engine/result.ts';
import type { Layout, ServiceName, ServiceState } from '../../nodes/layouts/layout.ts';
import { type ClusterStatus, parseClusterStatus } from '../../nodes/parse/ovn-appctl.ts';
import type { CentralService } from '../../path/ovn/central.ts';
import type { Progress } from '../../path/ovn/model.ts';
import { progressOf } from '../../path/ovn/rows.ts';
import { hostStates, type ProcessState } from '../agent-process.ts';
import { hostLayout } from '../host.ts';
import { read, run, type Store, source } from '../io.ts';
import { type CloudSubject, theCloud } from '../subject.ts';
import { appctl } from './chassis.ts';
import { ask, controllerHosts, ovnDatabases } from './databases.ts';

/** OVN's central parts on one host that has any of them. */
export interface CentralHost {
  readonly host: string;
  readonly services: readonly {
    readonly state: ServiceState & { readonly service: CentralService };
    readonly restart: readonly [string, ...string[]];
  }[];
  /** What stands for them among the processes. */
  readonly processes: readonly ProcessState[];
  /** `ovn-northd status`: active, standby, paused; a failure where it does not answer. */
  readonly northd: FactResult<string>;
  /** Of databases that are clustered. */
  readonly clusters: ReadonlyMap<'nb' | 'sb', ClusterStatus>;
  readonly evidence: readonly Evidence[];
}

export interface OvnCentral {
  readonly hosts: readonly CentralHost[];
  readonly unseen: readonly { readonly host: string; readonly failure: FactFailure }[];
}

const central: readonly CentralService[] = ['ovn-northd', 'ovn-ovsdb-server-nb', 'ovn-ovsdb-server-sb'];
const schemas = { nb: 'OVN_Northbound', sb: 'OVN_Southbound' } as const;

const isCentral = (state: ServiceState): state is ServiceState & { service: CentralService } =>
  central.some((service) => service === state.service);

const restartWords = (layout: Layout, state: ServiceState): readonly [string, ...string[]] =>
  layout.name === 'systemd' || layout.name === 'devstack'
    ? ['systemctl', 'restart', state.unit]
    : layout.restart(state.service);

/** `cluster/status` of a database; a database that is no cluster does not know the command. */
async function clusterStatus(facts: Store, host: string, layout: Layout, database: 'nb' | 'sb') {
  const service: ServiceName = `ovn-ovsdb-server-${database}`;
  const [first = 'ovn-appctl', ...rest] = [...layout.within(service), 'ovn-appctl'];
  const socket = `/var/run/ovn/ovn${database}_db.ctl`;
  const argv = [first, ...rest, '--timeout=3', '-t', socket, 'cluster/status', schemas[database]] as const;
  return read(facts, host, { argv, impact: 'read', become: true }, (stdout) => ok(parseClusterStatus(stdout)));
}

/** northd and the databases where they run: on the hosts of the control plane. */
export const ovnCentral = source<CloudSubject, OvnCentral>(
  'ovn.central',
  () => '',
  async (_, facts) => {
    const hosts: CentralHost[] = [];
    const unseen: { host: string; failure: FactFailure }[] = [];
    await Promise.all(
      (await controllerHosts(facts)).map(async (host) => {
        const found = await facts.get(hostLayout, host);
        if (!found.ok) return void unseen.push({ host, failure: found.error });
        const layout = found.value.value;
        const [status, states, northd, nb, sb] = await Promise.all([
          run(facts, host, {
            argv: layout.statusCommand(central),
            impact: 'read',
            become: layout.name !== 'systemd',
          }),
          facts.get(hostStates, host),
          appctl(facts, host, 'ovn-northd', 'status'),
          clusterStatus(facts, host, layout, 'nb'),
          clusterStatus(facts, host, layout, 'sb'),
        ]);
        if (!status.ok) return void unseen.push({ host, failure: status.error });
        const services = layout
          .parseStatus(status.value.result.stdout, central)
          .filter(isCentral)
          .filter((state) => state.state !== 'absent');
        if (services.length === 0) return;
        hosts.push({
          host,
          services: services.map((state) => ({ state, restart: restartWords(layout, state) })),
          processes: states.ok ? states.value.value.filter((p) => /ovn-northd|ovn[ns]b_db/.test(p.args)) : [],
          northd,
          clusters: new Map([
            ...(nb.ok ? [['nb', nb.value.value] as const] : []),
            ...(sb.ok ? [['sb', sb.value.value] as const] : []),
          ]),
          evidence: [status.value.evidence, ...(northd.ok ? northd.value.evidence : [])],
        });
      }),
    );
    hosts.sort((a, b) => (a.host < b.host ? -1 : 1));
    unseen.sort((a, b) => (a.host < b.host ? -1 : 1));
    return observed({ hosts, unseen }, ...hosts.flatMap((h) => h.evidence));
  },
);

/** How far Neutron's changes have come; where northd is behind, looked at twice, for it may just have been on it. */
export const ovnProgress = source<CloudSubject, Progress>(
  'ovn.progress',
  () => '',
  async (_, facts) => {
    const databases = await facts.get(ovnDatabases, theCloud);
    if (!databases.ok) return databases;
    const { nb } = databases.value.value;
    if (!nb.ok) return nb;
    const global = [['find', 'NB_Global']];
    const first = await ask(facts, nb.value, 'nb', global);
    if (!first.ok) return first;
    const was = progressOf(first.value.value[0]?.[0]);
    if (was.sbCfg >= was.nbCfg) return observed(was, ...first.value.evidence);
    const second = await ask(facts, nb.value, 'nb', global, { afterSeconds: 3 });
    if (!second.ok) return second;
    // A change that came after the first look may be on its way again: only what was asked then counts.
    const is = progressOf(second.value.value[0]?.[0]);
    return observed({ ...is, nbCfg: was.nbCfg }, ...second.value.evidence);
  },
);
