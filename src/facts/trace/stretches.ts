import { familyOf, namespaceName } from '../../path/addresses.ts';
import type { Point } from '../../path/trace/point.ts';
import type { Store } from '../io.ts';
import { type Placement, segmentOf } from '../placement.ts';
import { dhcpHosts, floatingIps, networkById, routerHost, type ServingRouter } from '../port-api.ts';
import type { PortSubject } from '../subject.ts';
import { fromThisMachine, nameOf, type PlannedLeg, present, subnetOf, type Traffic } from './leg.ts';
import { guestEnd, type NetworkEnd, physicalPoints, pointsBetween, serviceEnd } from './points.ts';

/** Into an instance from a namespace of its network. */
const into = (
  subject: PortSubject,
  to: string,
  traffic: Traffic,
  sender: { readonly from: 'qdhcp' | 'qrouter'; readonly host: string; readonly netns: string; readonly own: string },
  points: readonly Point[],
): PlannedLeg => ({
  from: sender.from,
  addresses: [to],
  guest: subject,
  leg: {
    title: `${sender.from === 'qdhcp' ? 'dhcp' : 'router'} on ${sender.host} → ${nameOf(subject)}`,
    probe: { ...traffic, from: sender.own, to },
    sender: { host: sender.host, netns: sender.netns },
    points,
    answerer: { kind: 'guest', name: nameOf(subject) },
  },
});

/** Out of a router's gateway to an address behind it. */
export async function outwards(
  facts: Store,
  place: Placement,
  serving: ServingRouter,
  to: string,
  traffic: Traffic,
): Promise<PlannedLeg | undefined> {
  const gateway = await gatewayEnd(facts, place, serving, to);
  if (gateway === undefined) return undefined;
  return {
    from: 'qrouter',
    addresses: [to],
    leg: {
      title: `router on ${gateway.host} → ${to}`,
      probe: { ...traffic, from: gateway.own, to },
      sender: { host: gateway.host, netns: gateway.netns },
      points: [...gateway.points, ...(await physicalPoints(facts, gateway.segment, gateway.host))],
      answerer: { kind: 'outside', name: to },
    },
  };
}

/** A router's end in its external network, and what it sends from there towards an address. */
interface GatewayEnd extends NetworkEnd {
  readonly segment: Placement['segment'];
  readonly netns: string;
  /** Of the family of that address. */
  readonly own: string;
}

async function gatewayEnd(
  facts: Store,
  { backend }: Placement,
  serving: ServingRouter,
  to: string,
): Promise<GatewayEnd | undefined> {
  const host = routerHost(serving);
  const port = serving.ports.find((p) => p.device_owner === 'network:router_gateway');
  const outside = serving.router.external_gateway_info;
  const own = outside?.external_fixed_ips?.find((f) => familyOf(f.ip_address) === familyOf(to))?.ip_address;
  if (host === undefined || port === undefined || !outside?.network_id || own === undefined) return undefined;
  const network = await facts.get(networkById, outside.network_id);
  if (!network.ok) return undefined;
  const segment = segmentOf(network.value.value);
  const netns = namespaceName('qrouter', serving.router.id);
  return { ...serviceEnd(backend, host, netns, port.id, 'gateway', segment), segment, netns, own };
}

/** From this machine to a floating address of the port: through the router's translation to the instance. */
export async function throughFloating(
  facts: Store,
  subject: PortSubject,
  place: Placement,
  routers: readonly ServingRouter[],
  traffic: Traffic,
): Promise<readonly PlannedLeg[]> {
  const found = await facts.get(floatingIps, subject);
  const legs = await Promise.all(
    (found.ok ? found.value.value : []).map(async (floating): Promise<PlannedLeg | undefined> => {
      const serving = routers.find((r) => r.router.id === floating.router_id);
      const fixed = floating.fixed_ip_address;
      if (serving === undefined || !fixed) return undefined;
      const [gateway, inside] = await Promise.all([
        gatewayEnd(facts, place, serving, floating.floating_ip_address),
        betweenRouterAnd(facts, place, serving, subject, fixed),
      ]);
      if (gateway === undefined || inside === undefined) return undefined;
      const outer = await physicalPoints(facts, gateway.segment, gateway.host);
      const points = [...[...outer].reverse(), ...[...gateway.points].reverse(), ...inside.points];
      return fromThisMachine(subject, traffic, { address: floating.floating_ip_address, fixed }, points);
    }),
  );
  return present(legs);
}

/** From a router's gateway to an instance directly on its external network. */
export async function fromGateway(
  facts: Store,
  place: Placement,
  serving: ServingRouter,
  subject: PortSubject,
  to: string,
  traffic: Traffic,
): Promise<PlannedLeg | undefined> {
  const gateway = await gatewayEnd(facts, place, serving, to);
  if (gateway === undefined || gateway.segment.networkId !== place.segment.networkId) return undefined;
  const points = await pointsBetween(facts, place, gateway, guestEnd(place));
  const { host, netns, own } = gateway;
  return into(subject, to, traffic, { from: 'qrouter', host, netns, own }, points);
}

/** From this machine to an instance directly on a network that it may reach: one that no tunnel carries. */
export async function fromHere(
  facts: Store,
  place: Placement,
  subject: PortSubject,
  to: string,
  traffic: Traffic,
): Promise<PlannedLeg | undefined> {
  const network = await facts.get(networkById, place.segment.networkId);
  if (!network.ok || network.value.value['router:external'] !== true) return undefined;
  const outer = await physicalPoints(facts, place.segment, place.host);
  const points = [...[...outer].reverse(), ...[...guestEnd(place).points].reverse()];
  return fromThisMachine(subject, traffic, { address: to }, points);
}

/** The stretch between a router's leg in the network of an instance's port and the instance. */
export async function betweenRouterAnd(
  facts: Store,
  place: Placement,
  serving: ServingRouter,
  subject: PortSubject,
  to: string,
): Promise<
  | {
      readonly points: readonly Point[];
      /** Of these, the router's own end. */
      readonly routerPoints: readonly Point[];
      readonly host: string;
      readonly netns: string;
      readonly own: string;
    }
  | undefined
> {
  const host = routerHost(serving);
  const subnet = subnetOf(subject, to);
  const leg = serving.ports.find(
    (p) => p.device_owner !== 'network:router_gateway' && p.fixed_ips.some((f) => f.subnet_id === subnet),
  );
  const own = leg?.fixed_ips.find((f) => f.subnet_id === subnet)?.ip_address;
  if (host === undefined || leg === undefined || own === undefined) return undefined;
  const netns = namespaceName('qrouter', serving.router.id);
  const end = serviceEnd(place.backend, host, netns, leg.id, 'router', place.segment);
  return {
    host,
    netns,
    own,
    routerPoints: end.points,
    points: await pointsBetween(facts, place, end, guestEnd(place)),
  };
}

/** Into an instance from a router that serves its network. */
export async function fromRouter(
  facts: Store,
  place: Placement,
  serving: ServingRouter,
  subject: PortSubject,
  to: string,
  traffic: Traffic,
): Promise<PlannedLeg | undefined> {
  const found = await betweenRouterAnd(facts, place, serving, subject, to);
  return found === undefined ? undefined : into(subject, to, traffic, { from: 'qrouter', ...found }, found.points);
}

/** A DHCP server's end in an instance's network. */
export interface DhcpEnd extends NetworkEnd {
  readonly netns: string;
  /** Its address in the subnet that is asked for. */
  readonly own: string;
  readonly mac: string;
}

/** Every DHCP server in the subnet of an address of the port. */
export async function dhcpEnds(
  facts: Store,
  place: Placement,
  subject: PortSubject,
  to: string,
): Promise<readonly DhcpEnd[]> {
  const servers = await facts.get(dhcpHosts, subject);
  const subnet = subnetOf(subject, to);
  const netns = namespaceName('qdhcp', place.segment.networkId);
  return (servers.ok ? servers.value.value : []).flatMap(({ host, port }) => {
    const own = port?.fixed_ips.find((f) => f.subnet_id === subnet)?.ip_address;
    if (port === undefined || own === undefined) return [];
    const end = serviceEnd(place.backend, host, netns, port.id, 'dhcp', place.segment);
    return [{ ...end, netns, own, mac: port.mac_address }];
  });
}

/** Into an instance from every DHCP server of its network. */
export async function fromDhcp(
  facts: Store,
  place: Placement,
  subject: PortSubject,
  to: string,
  traffic: Traffic,
): Promise<readonly PlannedLeg[]> {
  const ends = await dhcpEnds(facts, place, subject, to);
  return Promise.all(
    ends.map(async (end) => {
      const { host, netns, own } = end;
      const points = await pointsBetween(facts, place, end, guestEnd(place));
      return into(subject, to, traffic, { from: 'qdhcp', host, netns, own }, points);
    }),
  );
}
