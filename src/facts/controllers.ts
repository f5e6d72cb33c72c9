import type { Evidence } from '../engine/evidence.ts';
import { observed } from '../engine/fact.ts';
import type { FactFailure } from '../engine/failure.ts';
import type { Layout, ServiceName, ServiceState } from '../nodes/layouts/layout.ts';
import { computeServices } from './cloud-api.ts';
import { hostLayout } from './host.ts';
import { run, source } from './io.ts';
import type { CloudSubject } from './subject.ts';

/** One service of the control plane on one controller, as the node itself sees it. */
export interface ControllerService {
  readonly host: string;
  readonly state: ServiceState;
  /** How it is restarted there. */
  readonly restart: readonly [string, ...string[]];
  readonly evidence: Evidence;
}

export interface Controllers {
  readonly services: readonly ControllerService[];
  readonly unseen: readonly { readonly host: string; readonly failure: FactFailure }[];
}

const controlPlane: readonly ServiceName[] = [
  'neutron-server',
  'nova-api',
  'nova-api-metadata',
  'nova-conductor',
  'nova-scheduler',
];

const restartWords = (layout: Layout, state: ServiceState): readonly [string, ...string[]] =>
  layout.name === 'systemd' || layout.name === 'devstack'
    ? ['systemctl', 'restart', state.unit]
    : layout.restart(state.service);

/**
 * The control plane on the hosts that Nova names as conductors and schedulers. Asked only where something of it does not
 * answer: nothing of a healthy walk depends on it.
 */
export const controllerServices = source<CloudSubject, Controllers>(
  'cloud.controllers',
  () => '',
  async (subject, facts) => {
    const known = await facts.get(computeServices, subject);
    if (!known.ok) return known;
    const hosts = new Set(
      known.value.value
        .filter((s) => s.binary === 'nova-conductor' || s.binary === 'nova-scheduler')
        .map((s) => s.host),
    );
    const services: ControllerService[] = [];
    const unseen: { host: string; failure: FactFailure }[] = [];
    await Promise.all(
      [...hosts].map(async (host) => {
        const layout = await facts.get(hostLayout, host);
        if (!layout.ok) return void unseen.push({ host, failure: layout.error });
        const how = layout.value.value;
        const ran = await run(facts, host, {
          argv: how.statusCommand(controlPlane),
          impact: 'read',
          become: how.name !== 'systemd',
        });
        if (!ran.ok) return void unseen.push({ host, failure: ran.error });
        for (const state of how.parseStatus(ran.value.result.stdout, controlPlane)) {
          if (state.state === 'absent') continue;
          services.push({ host, state, restart: restartWords(how, state), evidence: ran.value.evidence });
        }
      }),
    );
    services.sort((a, b) => (`${a.host} ${a.state.service}` < `${b.host} ${b.state.service}` ? -1 : 1));
    unseen.sort((a, b) => (a.host < b.host ? -1 : 1));
    return observed({ services, unseen }, ...known.value.evidence);
  },
);

/** Those of one service that do not run. */
export const stoppedOf = (controllers: Controllers, service: ServiceName): readonly ControllerService[] =>
  controllers.services.filter(
    (s) => s.state.service === service && s.state.state !== 'active' && s.state.state !== 'activating',
  );
