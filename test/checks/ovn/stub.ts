import type { Check } from '../../../src/engine/check.ts';
import type { Evidence } from '../../../src/engine/evidence.ts';
import { type FactResult, type FactStore, observed } from '../../../src/engine/fact.ts';
import type { Finding } from '../../../src/engine/finding.ts';
import type { Outcome } from '../../../src/engine/outcome.ts';
import { err } from '../../../src/engine/result.ts';
import type { Io } from '../../../src/facts/io.ts';
import type { OvnHosts } from '../../../src/facts/ovn/hosts.ts';
import type { PortSubject } from '../../../src/facts/subject.ts';
import type { Chassis, ChassisView } from '../../../src/path/ovn/model.ts';

export const now = Date.parse('2026-11-21T16:00:00Z');

export const seen = (host: string, ...argv: string[]): Evidence => ({
  source: { kind: 'command', host, argv, code: 0 },
  at: '2026-11-21T16:00:00.000Z',
  excerpt: argv.join(' '),
});

export const told = <T>(value: T, ...evidence: Evidence[]): FactResult<T> =>
  observed(value, ...(evidence.length > 0 ? evidence : [seen('ctl', 'a', 'look')]));

export const portId = '608a92c3-83a9-4d8f-8e60-734e7cc7c0c3';
export const networkId = 'a01c0100-5540-4860-9020-052711893b6f';

export const subject: PortSubject = {
  kind: 'port',
  id: portId,
  port: {
    value: {
      id: portId,
      network_id: networkId,
      mac_address: 'fa:16:3e:28:ae:76',
      admin_state_up: true,
      status: 'ACTIVE',
      device_id: '30b86dbb-9d7d-4736-8776-e20b801c90a3',
      device_owner: 'compute:nova',
      fixed_ips: [{ subnet_id: 's', ip_address: '10.0.0.148' }],
      'binding:host_id': 'cmp1',
    },
    evidence: [seen('ctl', 'GET /v2.0/ports')],
  },
};

/** A check judged from facts that are given by the names of their sources; a fact that is not given is not had. */
export async function judge(
  check: Check<Io, PortSubject>,
  facts: Readonly<Record<string, FactResult<unknown>>>,
): Promise<Outcome> {
  const store = {
    io: {},
    get: async (source: { readonly name: string }) =>
      facts[source.name] ?? err({ kind: 'unsupported', because: `${source.name} is not given` }),
  };
  return check.run(subject, store as unknown as FactStore<Io>, now);
}

export const findings = (outcome: Outcome): readonly Finding[] =>
  outcome.status === 'problem' ? outcome.findings : [];
export const codes = (outcome: Outcome): readonly string[] => findings(outcome).map((f) => f.code);
/** Commands of the remedies that mend by themselves. */
export const mending = (outcome: Outcome): readonly string[] =>
  findings(outcome)
    .flatMap((f) => f.remedies)
    .filter((r) => r.sufficient)
    .flatMap((r) => r.steps.map((s) => (s.argv ?? []).join(' ')));

export const chassisNames = { cmp1: 'cb36454f', net1: 'fd14b502', cmp2: '14bb7f18' } as const;
type Host = keyof typeof chassisNames;
export const ends: Readonly<Record<Host, string>> = { cmp1: '198.18.1.31', net1: '198.18.1.20', cmp2: '198.18.1.32' };

export const row = (host: Host, more: Partial<Chassis> = {}): Chassis => ({
  uuid: `row-of-${host}`,
  name: chassisNames[host],
  hostname: host,
  encaps: [{ type: 'geneve', ip: ends[host], options: new Map() }],
  transportZones: [],
  config: new Map(),
  nbCfg: 5,
  nbCfgAt: now,
  ...more,
});

export const registeredAs = (...chassis: Chassis[]) => ({
  chassis,
  nbCfg: 5,
  options: new Map([['northd_internal_version', '23.03.1-20.27.0-70.6']]),
  listeners: [{ target: 'ptcp:6642:0.0.0.0', readOnly: false }],
});

export const view = (host: Host, more: Partial<ChassisView> = {}): ChassisView => ({
  host,
  systemId: chassisNames[host],
  hostname: host,
  remote: 'tcp:198.18.0.10:6642',
  encapTypes: ['geneve'],
  encapIps: [ends[host]],
  bridgeMappings: new Map(host === 'net1' ? [['physnet1', 'br-ex']] : []),
  integrationBridge: 'br-int',
  settings: new Map(),
  tunnels: (['cmp1', 'net1', 'cmp2'] as const)
    .filter((far) => far !== host)
    .map((far) => ({
      name: `ovn-${chassisNames[far].slice(0, 6)}-0`,
      type: 'geneve',
      remoteIp: ends[far],
      chassis: chassisNames[far],
      ofport: 7,
      statistics: new Map(),
    })),
  connection: 'connected',
  controllerVersion: '23.03.1',
  ...more,
});

/** A fact per host, as `onOvnHosts` gives it. */
export const onHosts = <T>(
  values: Readonly<Record<string, FactResult<T>>>,
): FactResult<ReadonlyMap<string, FactResult<T>>> => told(new Map(Object.entries(values)));

export const viewed = (...views: ChassisView[]) =>
  onHosts(
    Object.fromEntries(
      views.map((v) => [
        v.host,
        told(v, seen(v.host, 'ovs-vsctl', 'list', 'Open_vSwitch'), seen(v.host, 'ovn-appctl', 'connection-status')),
      ]),
    ),
  );

export const hosts: OvnHosts = {
  compute: 'cmp1',
  gateways: [{ routerId: 'r1', port: 'lrp-1', holder: { host: 'net1', name: chassisNames.net1 }, candidates: [] }],
  peer: undefined,
  all: ['cmp1', 'net1'],
};
