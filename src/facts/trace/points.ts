import { type FactResult, observed } from '../../engine/fact.ts';
import { err } from '../../engine/result.ts';
import type { Command } from '../../nodes/command.ts';
import type { Link } from '../../nodes/parse/links.ts';
import type { OvsState } from '../../nodes/parse/ovsdb.ts';
import { parseRoutes } from '../../nodes/parse/routes.ts';
import type { Backend, Segment, TunnelShape } from '../../path/backends/backend.ts';
import type { Point, Wearing } from '../../path/trace/point.ts';
import { agents } from '../cloud-api.ts';
import { hostLinks, hostOvs } from '../host.ts';
import { read, type Store } from '../io.ts';
import type { Placement } from '../placement.ts';
import { theCloud } from '../subject.ts';
import { endpointOf } from '../tunnel.ts';

/** One end of a stretch over one network: the points from its inside to where the host's switch begins. */
export interface NetworkEnd {
  readonly host: string;
  readonly points: readonly Point[];
}

const plain: Wearing = { kind: 'plain' };

/** The devices of an instance's port, guest first. The small bridge of hybrid plugging sees what its ends see. */
export const guestEnd = ({ backend, bound, segment, host }: Placement): NetworkEnd => ({
  host,
  points: backend
    .attachment(bound, segment)
    .filter(({ role }) => role === 'tap' || role === 'bridge-end' || role === 'switch-end')
    .map(({ name, role }) => ({
      host,
      device: name,
      kind: role === 'tap' ? ('tap' as const) : ('bridge' as const),
      wears: plain,
    })),
});

/** The device of a service inside its namespace, and what joins it to the switch outside. */
export function serviceEnd(
  backend: Backend,
  host: string,
  netns: string,
  portId: string,
  owner: 'dhcp' | 'router' | 'gateway',
  segment: Segment,
): NetworkEnd {
  const device = backend.serviceDevice(portId, owner);
  // Open vSwitch has the device itself as its port: there is nothing outside of the namespace.
  const outside = backend
    .serviceAttachment(portId, owner === 'dhcp' ? 'dhcp' : 'router', segment)
    .filter(({ role }) => role === 'bridge-end');
  return {
    host,
    points: [
      { host, netns, device, kind: owner === 'dhcp' ? 'namespace' : 'router', wears: plain },
      ...outside.map(({ name }): Point => ({ host, device: name, kind: 'bridge', wears: plain })),
    ],
  };
}

const routeCommand = (to: string, from: string): Command => ({
  argv: ['ip', '-j', 'route', 'get', to, 'from', from],
  impact: 'read',
});

/** Ports of an OVS bridge that are devices of the machine: neither OVS's own nor patches to other bridges. */
const physicalPorts = (ovs: OvsState, bridge: string): string[] =>
  (ovs.bridges.find((b) => b.name === bridge)?.ports ?? []).flatMap((p) =>
    p.interfaces.filter((i) => i.type === '' || i.type === 'system' || i.type === 'dpdk').map((i) => i.name),
  );

/** Where the tunnel's outer packets leave a host: the device of the route, or the ports of the OVS bridge that it is. */
async function underlayDevices(facts: Store, host: string, from: string, to: string): Promise<FactResult<string[]>> {
  const [route, ovs] = await Promise.all([
    read(facts, host, routeCommand(to, from), parseRoutes),
    facts.get(hostOvs, host),
  ]);
  if (!route.ok) return route;
  const device = route.value.value[0]?.dev ?? route.value.value[0]?.nexthops[0]?.dev;
  if (device === undefined) return err({ kind: 'unsupported', because: `${host} has no route to ${to}` });
  const ports = ovs.ok ? physicalPorts(ovs.value.value, device) : [];
  return observed(ports.length > 0 ? ports : [device], ...route.value.evidence);
}

/** Devices of the kernel that carry every VNI of OVS (lib/dpif-netlink-rtnl.c): what passes them is not yet wrapped. */
const sharedTunnelDevice = (links: readonly Link[], by: 'vxlan' | 'gre' | 'geneve'): string | undefined =>
  links.find((l) => new RegExp(`^(?:${by === 'geneve' ? 'genev' : by}_sys(?:_\\d+)?)$`).test(l.name))?.name;

/** What packets between two hosts are carried in. */
export interface Carriage {
  readonly shape: TunnelShape;
  readonly vni: number | undefined;
  /** Of what comes back, where it is carried otherwise. */
  readonly vniBack?: number;
}

/** From the host's switch to its way out towards another host's tunnel endpoint. */
async function tunnelPoints(
  facts: Store,
  { shape, vni, vniBack }: Carriage,
  host: string,
  own: string,
  far: string,
): Promise<readonly Point[]> {
  const [links, devices, ovs] = await Promise.all([
    facts.get(hostLinks, host),
    underlayDevices(facts, host, own, far),
    shape.by.kind === 'ovs' ? facts.get(hostOvs, host) : undefined,
  ]);
  const all = links.ok ? links.value.value : [];
  const inner = shape.by.kind === 'device' ? shape.by.device : sharedTunnelDevice(all, shape.kind);
  const stated =
    shape.by.kind === 'device'
      ? all.find((l) => l.name === inner)?.vxlan?.port
      : Number(
          ovs?.ok === true
            ? ovs.value.value.bridges
                .flatMap((b) => b.ports)
                .flatMap((p) => p.interfaces)
                .find((i) => i.type === shape.kind && i.options.get('remote_ip') === far)
                ?.options.get('dst_port')
            : undefined,
        );
  const wears: Wearing = {
    kind: 'tunnel',
    by: shape.kind,
    vni,
    ...(vniBack === undefined || vniBack === vni ? {} : { vniBack }),
    endpoints: [own, far],
    ...(stated === undefined || !Number.isInteger(stated) ? {} : { udpPort: stated }),
  };
  return [
    ...(inner === undefined ? [] : [{ host, device: inner, kind: 'tunnel', wears: plain } as const]),
    ...(devices.ok ? devices.value.value : []).map((device): Point => ({ host, device, kind: 'physnet', wears })),
  ];
}

/** From the one host's way into the tunnel to the other's way out of it. */
export async function tunnelBetween(
  facts: Store,
  carriage: Carriage,
  one: { readonly host: string; readonly endpoint: string },
  other: { readonly host: string; readonly endpoint: string },
): Promise<readonly Point[]> {
  const [out, into] = await Promise.all([
    tunnelPoints(facts, carriage, one.host, one.endpoint, other.endpoint),
    tunnelPoints(facts, carriage, other.host, other.endpoint, one.endpoint),
  ]);
  return [...out, ...[...into].reverse()];
}

/** From the host's switch to the device that carries a flat or VLAN network. */
export async function physicalPoints(facts: Store, segment: Segment, host: string): Promise<readonly Point[]> {
  const list = await facts.get(agents, theCloud);
  const mappings = (list.ok ? list.value.value : [])
    .filter((a) => a.host === host)
    .map((a) => ({ ...a.configurations?.bridge_mappings, ...a.configurations?.interface_mappings }));
  const mapped = mappings.map((m) => m[segment.physicalNetwork ?? '']).find((name) => name !== undefined);
  return mapped === undefined ? [] : mappedPoints(facts, segment, host, mapped);
}

/** The same, where it is known to which bridge or device of the host its physical network is mapped. */
export async function mappedPoints(
  facts: Store,
  segment: Segment,
  host: string,
  mapped: string,
): Promise<readonly Point[]> {
  const [links, ovs] = await Promise.all([facts.get(hostLinks, host), facts.get(hostOvs, host)]);
  const tagged: Wearing =
    segment.type === 'vlan' && segment.id !== undefined ? { kind: 'vlan', id: segment.id } : plain;
  const ports = ovs.ok ? physicalPorts(ovs.value.value, mapped) : [];
  if (ports.length > 0) return ports.map((device) => ({ host, device, kind: 'physnet', wears: tagged }));
  // Linux bridges: `eth1.100` on the bridge carries the VLAN untagged, eth1 beneath it tagged; a mapped bridge has its own ports.
  const all = links.ok ? links.value.value : [];
  const sub = all.find((l) => l.parent === mapped && l.vlanId !== undefined && l.vlanId === segment.id);
  return [
    ...(sub === undefined ? [] : [{ host, device: sub.name, kind: 'physnet', wears: plain } as const]),
    { host, device: mapped, kind: 'physnet', wears: tagged },
  ];
}

/** All points between two ends of one network, both included, from the one's inside to the other's. */
export async function pointsBetween(
  facts: Store,
  place: { readonly backend: Backend; readonly segment: Segment },
  one: NetworkEnd,
  other: NetworkEnd,
): Promise<readonly Point[]> {
  const back = [...other.points].reverse();
  if (one.host === other.host) return [...one.points, ...back];
  const shape = place.backend.tunnel(place.segment);
  if (shape === undefined) {
    const [out, into] = await Promise.all([
      physicalPoints(facts, place.segment, one.host),
      physicalPoints(facts, place.segment, other.host),
    ]);
    return [...one.points, ...out, ...[...into].reverse(), ...back];
  }
  const list = await facts.get(agents, theCloud);
  const [own, far] = [one.host, other.host].map((h) => endpointOf(list.ok ? list.value.value : [], h));
  if (own === undefined || far === undefined) return [...one.points, ...back];
  const ends = [
    { host: one.host, endpoint: own },
    { host: other.host, endpoint: far },
  ] as const;
  return [...one.points, ...(await tunnelBetween(facts, { shape, vni: place.segment.id }, ...ends)), ...back];
}
