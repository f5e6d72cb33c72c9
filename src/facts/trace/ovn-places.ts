import { familyOf, sameAddress } from '../../path/addresses.ts';
import type { Segment } from '../../path/backends/backend.ts';
import { metadataPort } from '../../path/ovn/metadata-port.ts';
import type { SouthView } from '../../path/ovn/model.ts';
import type { Point, Wearing } from '../../path/trace/point.ts';
import type { Store } from '../io.ts';
import { nsAddresses } from '../namespace.ts';
import { chassisView } from '../ovn/chassis.ts';
import { logicalView, neutronName } from '../ovn/logical.ts';
import { southView } from '../ovn/south.ts';
import type { Placement } from '../placement.ts';
import { segmentOf } from '../placement.ts';
import { floatingIps, metadataPorts, networkById, type ServingRouter, servicePorts } from '../port-api.ts';
import type { PortSubject } from '../subject.ts';
import { subnetOf } from './leg.ts';
import { mappedPoints, type NetworkEnd, tunnelBetween } from './points.ts';

const plain: Wearing = { kind: 'plain' };

/** Keys under which tunnels carry datapaths, by their Neutron name; undefined where the southbound database does not say. */
export type Keys = (id: string | undefined) => number | undefined;

export async function keysOf(facts: Store, subject: PortSubject): Promise<Keys> {
  const south = await facts.get(southView, subject);
  const datapaths = south.ok ? [...south.value.value.datapaths.values()] : [];
  return (id) =>
    id === undefined ? undefined : datapaths.find((d) => d.externalIds.get('name') === neutronName(id))?.tunnelKey;
}

/** The devices between two hosts, on which one sends as one datapath and the other answers as one: none on one host. */
export async function overlay(
  facts: Store,
  from: string,
  to: string,
  keys: { readonly there: number | undefined; readonly back: number | undefined },
): Promise<readonly Point[]> {
  if (from === to) return [];
  const [one, other] = await Promise.all([facts.get(chassisView, from), facts.get(chassisView, to)]);
  if (!one.ok || !other.ok) return [];
  const [own, far] = [one.value.value, other.value.value];
  // Between two chassis packets take the first type of encapsulation that both have (ovn-controller(8), ovn-encap-type: geneve before vxlan).
  const kind = own.encapTypes.includes('geneve') && far.encapTypes.includes('geneve') ? 'geneve' : 'vxlan';
  const tunnel = own.tunnels.find((t) => far.systemId !== undefined && t.chassis.startsWith(far.systemId));
  const [ownIp, farIp] = [tunnel?.localIp ?? own.encapIps[0], far.encapIps[0]];
  if (ownIp === undefined || farIp === undefined) return [];
  // Twelve bits of a VXLAN's VNI are the port's key (ovn-architecture(7), Tunnel Encapsulations).
  const { there, back } = kind === 'geneve' ? keys : { there: undefined, back: undefined };
  return tunnelBetween(
    facts,
    {
      shape: { kind, by: { kind: 'ovs', bridge: own.integrationBridge } },
      vni: there,
      ...(back === undefined ? {} : { vniBack: back }),
    },
    { host: from, endpoint: ownIp },
    { host: to, endpoint: farIp },
  );
}

/** The devices by which a flat or VLAN network leaves a host; none where the host is not told of its physical network. */
export async function bridged(facts: Store, segment: Segment, host: string): Promise<readonly Point[]> {
  const view = await facts.get(chassisView, host);
  const mapped = view.ok ? view.value.value.bridgeMappings.get(segment.physicalNetwork ?? '') : undefined;
  return mapped === undefined ? [] : mappedPoints(facts, segment, host, mapped);
}

/** Between two hosts as a network carries its own packets: over tunnels, or by its physical network. */
export async function across(
  facts: Store,
  segment: Segment,
  from: string,
  to: string,
  keys: { readonly there: number | undefined; readonly back: number | undefined },
): Promise<readonly Point[]> {
  if (from === to) return [];
  if (segment.physicalNetwork === undefined || segment.physicalNetwork === null) return overlay(facts, from, to, keys);
  const [out, into] = await Promise.all([bridged(facts, segment, from), bridged(facts, segment, to)]);
  return [...out, ...[...into].reverse()];
}

/** A host's end of a network where it serves metadata: the namespace, and the device that joins it to the integration bridge. */
export interface MetadataEnd extends NetworkEnd {
  readonly id: string;
  readonly netns: string;
  readonly mac: string;
  /** Its address in the subnet that is asked for. */
  readonly own: string;
}

/** Of an instance's own host: no packet of a localport leaves it (ovn-architecture(7), Logical Port Types). */
export async function metadataEnd(
  facts: Store,
  { host, segment }: Placement,
  subject: PortSubject,
  to: string,
): Promise<MetadataEnd | undefined> {
  const around = await facts.get(servicePorts, subject);
  const subnet = subnetOf(subject, to);
  const [port] = metadataPorts(around.ok ? around.value.value : []);
  const own = port?.fixed_ips.find((f) => f.subnet_id === subnet)?.ip_address;
  if (port === undefined || own === undefined) return undefined;
  const { netns, inside, outside } = metadataPort(segment.networkId);
  // Not every release of the agent gives the namespace the port's IPv6 addresses (metadata/agent.py, provision_datapath).
  const has = familyOf(own) === 6 ? await facts.get(nsAddresses, { host, name: netns }) : undefined;
  if (has?.ok === true && !has.value.value.some((a) => sameAddress(a.address, own))) return undefined;
  return {
    id: port.id,
    host,
    netns,
    mac: port.mac_address,
    own,
    points: [
      { host, netns, device: inside, kind: 'namespace', wears: plain },
      { host, device: outside, kind: 'bridge', wears: plain },
    ],
  };
}

const chassisOf = (south: SouthView | undefined, port: string): string | undefined => {
  const binding = south?.bindings.get(port);
  return south?.chassis.find((c) => c.uuid === binding?.chassis)?.hostname;
};

/** A router's way out, and where it stands now. */
export interface Gateway {
  readonly host: string;
  readonly segment: Segment;
}

/** The chassis that has the router's gateway port: by the southbound database, else as Neutron has last heard. */
export async function gatewayOf(
  facts: Store,
  subject: PortSubject,
  serving: ServingRouter,
): Promise<Gateway | undefined> {
  const port = serving.ports.find((p) => p.device_owner === 'network:router_gateway');
  const outside = serving.router.external_gateway_info?.network_id;
  if (port === undefined || !outside) return undefined;
  const [south, network] = await Promise.all([facts.get(southView, subject), facts.get(networkById, outside)]);
  const host = chassisOf(south.ok ? south.value.value : undefined, `cr-lrp-${port.id}`) ?? port['binding:host_id'];
  return host && network.ok ? { host, segment: segmentOf(network.value.value) } : undefined;
}

/** A floating address of the port, and whether its own host answers for it. */
export interface Floating {
  readonly address: string;
  readonly fixed: string;
  readonly routerId: string;
  readonly distributed: boolean;
}

export async function floatingsOf(facts: Store, subject: PortSubject): Promise<readonly Floating[]> {
  const [found, logical] = await Promise.all([facts.get(floatingIps, subject), facts.get(logicalView, subject)]);
  return (found.ok ? found.value.value : []).flatMap((f): Floating[] => {
    const { floating_ip_address: address, fixed_ip_address: fixed, router_id: routerId } = f;
    if (!fixed || !routerId) return [];
    const nat = logical.ok
      ? logical.value.value.routers
          .get(routerId)
          ?.nat.find((n) => n.type === 'dnat_and_snat' && n.externalIp === address)
      : undefined;
    return [{ address, fixed, routerId, distributed: nat?.externalMac !== undefined && nat.logicalPort !== undefined }];
  });
}
