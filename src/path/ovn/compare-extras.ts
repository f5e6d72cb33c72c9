import { cidrContains, sameAddress, sameMac } from '../addresses.ts';
import { type Difference, setWords } from './difference.ts';
import { concerns } from './match.ts';
import { type ApiNetwork, type ApiPort, type ApiRouter, routerName, routerPortName, switchName } from './ordered.ts';

/** NB QoS. */
export interface Qos {
  readonly uuid: string;
  readonly direction: string;
  readonly priority: number;
  readonly match: string;
  /** `rate`, `burst` in kbit/s and kbit. */
  readonly bandwidth: ReadonlyMap<string, string>;
  readonly action: ReadonlyMap<string, string>;
  readonly externalIds: ReadonlyMap<string, string>;
}

/** NB Load_Balancer, with the rows that it hangs on. */
export interface LoadBalancer {
  readonly uuid: string;
  readonly name: string;
  readonly protocol: string;
  /** `IP:port` → `IP:port,…` */
  readonly vips: ReadonlyMap<string, string>;
  readonly externalIds: ReadonlyMap<string, string>;
  readonly on: readonly string[];
}

/** NB Static_MAC_Binding (OVN 22.06 on). */
export interface StaticMacBinding {
  readonly uuid: string;
  readonly logicalPort: string;
  readonly ip: string;
  readonly mac: string;
}

/** What may hang on the port's switch and routers beside what Neutron's core orders. */
export interface LogicalExtras {
  readonly qos: readonly Qos[];
  readonly loadBalancers: readonly LoadBalancer[];
  readonly staticMacBindings: readonly StaticMacBinding[];
}

/** Keys by which OpenStack's own makers sign: Neutron's QoS and port forwarding, Octavia's OVN provider. */
const isSigned = (ids: ReadonlyMap<string, string>): boolean =>
  [...ids.keys()].some((key) => key.startsWith('neutron:') || key.startsWith('octavia') || key === 'enabled');

/** QoS rules on the switch that no policy of Neutron accounts for. */
export function compareQos(
  port: ApiPort,
  name: string,
  network: ApiNetwork,
  groups: readonly string[],
  extras: LogicalExtras,
): readonly Difference[] {
  const row = switchName(port.network_id);
  return extras.qos
    .filter((q) => !isSigned(q.externalIds) && concerns(q.match, port.id, groups))
    .map((q) => {
      const rate = q.bandwidth.get('rate');
      const does = rate === undefined ? setWords([...q.action].map(([k, v]) => `${k}=${v}`)) : `${rate} kbit/s`;
      return {
        kind: 'switch-stranger',
        layer: 'northbound',
        table: 'QoS',
        object: `QoS ${q.uuid.slice(0, 8)} of ${row}`,
        summary: `A QoS rule on the switch of network ${network.name}, which Neutron did not order, ${rate === undefined ? 'marks' : 'holds'} packets of ${name} ${rate === undefined ? 'with' : 'down to'} ${does}: ${q.direction} ${q.priority} "${q.match}"`,
        ordered: 'no such rule: Neutron signs its own (external_ids)',
        found: `${q.direction} ${q.priority} (${q.match}) ${does}`,
        mends: [
          {
            by: 'ovn-nbctl',
            title: 'take the rule off the switch, once its maker agrees',
            argv: ['remove', 'Logical_Switch', row, 'qos_rules', q.uuid],
          },
        ],
        ...(rate === undefined ? { severity: 'warning' as const } : {}),
      };
    });
}

/** `10.0.0.5:80`, `[fd00::5]:80`, or an address alone. */
const addressOf = (vip: string): string => /^\[(.*)\]/.exec(vip)?.[1] ?? vip.replace(/:\d+$/, '');

/** Load balancers that take an address of the port, of its floating IPs or of its routers, and that nobody signed. */
export function compareLoadBalancers(
  name: string,
  addresses: readonly string[],
  extras: LogicalExtras,
): readonly Difference[] {
  return extras.loadBalancers.flatMap((lb) => {
    if (isSigned(lb.externalIds)) return [];
    const taken = [...lb.vips].filter(([vip]) => addresses.some((a) => sameAddress(addressOf(vip), a)));
    if (taken.length === 0) return [];
    const words = taken.map(([vip, to]) => `${lb.protocol} ${vip} → ${to || 'nobody'}`).join('; ');
    return lb.on.slice(0, 1).map((on): Difference => {
      const table = on.startsWith('Logical_Router ') ? 'Logical_Router' : 'Logical_Switch';
      return {
        kind: 'nat-stranger',
        layer: 'northbound',
        table: 'Load_Balancer',
        object: `Load_Balancer ${lb.name || lb.uuid.slice(0, 8)}`,
        summary: `A load balancer on ${on}, which no API of OpenStack accounts for, takes packets for ${name} elsewhere: ${words}`,
        ordered: 'no such load balancer: Neutron and Octavia sign theirs (external_ids)',
        found: words,
        mends: [
          {
            by: 'ovn-nbctl',
            title: `take it off ${on}, once its maker agrees`,
            argv: ['remove', table, on.split(' ')[1] ?? '', 'load_balancer', lb.uuid],
          },
        ],
      };
    });
  });
}

/** Neighbours that somebody set by hand on a router's port: Neutron writes none. */
export function compareStaticNeighbours(
  router: ApiRouter,
  ports: readonly ApiPort[],
  name: string,
  port: ApiPort,
  extras: LogicalExtras,
): readonly Difference[] {
  const legs = new Set(ports.map((p) => routerPortName(p.id)));
  return extras.staticMacBindings
    .filter((m) => legs.has(m.logicalPort))
    .filter((m) => !port.fixed_ips.some((f) => sameAddress(f.ip_address, m.ip)) || !sameMac(m.mac, port.mac_address))
    .map((m) => {
      const own = port.fixed_ips.some((f) => cidrContains(f.ip_address, m.ip));
      return {
        kind: 'neighbour-wrong',
        layer: 'northbound',
        table: 'Static_MAC_Binding',
        object: `Static_MAC_Binding ${m.ip} of router ${router.name}`,
        summary: `Router ${router.name} is told by hand (Static_MAC_Binding) that ${own ? name : m.ip} has MAC ${m.mac}: it never asks`,
        ordered: `nothing of the kind on ${routerName(router.id)}`,
        found: `${m.logicalPort} ${m.ip} ${m.mac}`,
        mends: [
          {
            by: 'ovn-nbctl',
            title: 'delete it, once its maker agrees: the router learns it by itself',
            argv: ['--if-exists', 'destroy', 'Static_MAC_Binding', m.uuid],
          },
        ],
        router: router.id,
      };
    });
}
