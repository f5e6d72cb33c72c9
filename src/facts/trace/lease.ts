import { namespaceName } from '../../path/addresses.ts';
import { discoverSize } from '../../path/trace/craft.ts';
import type { Point } from '../../path/trace/point.ts';
import type { Store } from '../io.ts';
import type { Placement } from '../placement.ts';
import { dhcpHosts, type ServingRouter } from '../port-api.ts';
import type { PortSubject } from '../subject.ts';
import { nameOf, type PlannedLeg, present, subnetOf, type Traffic } from './leg.ts';
import { guestEnd, type NetworkEnd, pointsBetween, serviceEnd } from './points.ts';
import { betweenRouterAnd } from './stretches.ts';
import { switchPortOf } from './switch-port.ts';

/** A DHCP server of the port's network. */
interface LeaseServer extends NetworkEnd {
  readonly netns: string;
  readonly own: string;
  readonly name: string;
}

/** What the instance's side of the switch sees of the offer alone: the request is put in behind it, or elsewhere. */
export const backOnly = (points: readonly Point[]): Point[] =>
  points.map((point) => ({ ...point, only: 'back' as const }));

async function serversOf(facts: Store, place: Placement, subject: PortSubject, to: string): Promise<LeaseServer[]> {
  const servers = await facts.get(dhcpHosts, subject);
  const subnet = subnetOf(subject, to);
  const netns = namespaceName('qdhcp', place.segment.networkId);
  return (servers.ok ? servers.value.value : []).flatMap(({ host, port }) => {
    const own = port?.fixed_ips.find((f) => f.subnet_id === subnet)?.ip_address;
    if (port === undefined || own === undefined) return [];
    return [
      {
        ...serviceEnd(place.backend, host, netns, port.id, 'dhcp', place.segment),
        netns,
        own,
        name: `dhcp on ${host}`,
      },
    ];
  });
}

/** The first part of the conversation in which an instance gets its address: what it asks, and what it is offered. */
const asking = (traffic: Traffic): Traffic => ({ protocol: 'dhcp', count: traffic.count, size: discoverSize });

/** From the instance's port of Open vSwitch to the server, and the offer back to the tap. */
async function asItself(
  facts: Store,
  subject: PortSubject,
  place: Placement,
  server: LeaseServer,
  traffic: Traffic,
): Promise<PlannedLeg | undefined> {
  const port = await switchPortOf(facts, place);
  if (port === undefined) return undefined;
  const guest = guestEnd(place);
  const points = await pointsBetween(facts, place, guest, server);
  return {
    from: 'port',
    addresses: [server.own],
    server: { agent: 'neutron-dhcp-agent', host: server.host },
    injected: {
      ...port,
      sourceMac: subject.port.value.mac_address,
      destinationMac: 'ff:ff:ff:ff:ff:ff',
    },
    leg: {
      title: `in the name of ${nameOf(subject)} → ${server.name}`,
      probe: { ...asking(traffic), from: '0.0.0.0', to: '255.255.255.255' },
      sender: { host: place.host, port: `port ${port.port} of ${port.bridge}` },
      points: [...backOnly(points.slice(0, guest.points.length)), ...points.slice(guest.points.length)],
      answerer: { kind: 'namespace', name: server.name },
      limits: [unseenOf(subject, place)],
    },
  };
}

/** What is not walked by packets that are put in at the switch. */
export const unseenOf = (subject: PortSubject, place: Placement): string =>
  place.backend.name === 'ovs-hybrid'
    ? `Put in behind the tap and the firewall of ${nameOf(subject)}: what the guest itself sends, and the rules on its way out, are not walked.`
    : `Put in at the port of ${nameOf(subject)}: whether the guest itself sends is not shown.`;

/**
 * From a router's namespace to the server, in the instance's name: the server answers the instance itself, whoever put the question
 * (RFC 2131, 4.1: by its MAC address to the address that it offers).
 */
async function askedByRouter(
  facts: Store,
  subject: PortSubject,
  place: Placement,
  serving: ServingRouter,
  server: LeaseServer,
  to: string,
  traffic: Traffic,
): Promise<PlannedLeg | undefined> {
  const router = await betweenRouterAnd(facts, place, serving, subject, to);
  if (router === undefined) return undefined;
  const [asked, offered] = await Promise.all([
    pointsBetween(facts, place, { host: router.host, points: router.routerPoints }, server),
    pointsBetween(facts, place, guestEnd(place), server),
  ]);
  const ends = server.points.length;
  const there = asked.slice(0, asked.length - ends).map((point) => ({ ...point, only: 'there' as const }));
  return {
    from: 'qrouter',
    addresses: [server.own],
    server: { agent: 'neutron-dhcp-agent', host: server.host },
    client: subject.port.value.mac_address,
    leg: {
      title: `router on ${router.host} asks ${server.name} for ${nameOf(subject)}`,
      probe: { ...asking(traffic), from: router.own, to: server.own },
      sender: { host: router.host, netns: router.netns },
      points: [...there, ...backOnly(offered.slice(0, offered.length - ends)), ...offered.slice(offered.length - ends)],
      answerer: { kind: 'namespace', name: server.name },
      limits: [
        `The router asked with the MAC address of ${nameOf(subject)}: what the server offers it, and the offer's way to the tap, are proved; the way of its own request to the server is not${whereInjected(place)}.`,
      ],
    },
  };
}

/** Which flag walks more, where one can. */
export const whereInjected = ({ backend }: Placement): string =>
  backend.firewall === 'ovs-flows' || backend.name === 'ovs-hybrid'
    ? ' (--inject walks it)'
    : ' (a Linux bridge has no place to put it in)';

/** The stretches of `--probe dhcp`: to every server of the network, for each answers. */
export async function leaseLegs(
  facts: Store,
  subject: PortSubject,
  place: Placement,
  to: string,
  routers: readonly ServingRouter[],
  traffic: Traffic,
  how: { readonly inject: boolean; readonly everyWay: boolean },
): Promise<readonly PlannedLeg[]> {
  const servers = await serversOf(facts, place, subject, to);
  const legs = await Promise.all(
    servers.map(async (server) => {
      const itself = await asItself(facts, subject, place, server, traffic);
      if (how.inject && itself !== undefined && !how.everyWay) return [itself];
      const asked = present(
        await Promise.all(routers.map((r) => askedByRouter(facts, subject, place, r, server, to, traffic))),
      ).map((leg) => (how.inject || itself === undefined ? leg : { ...leg, asks: itself }));
      return [...present([how.inject ? itself : undefined]), ...(how.everyWay ? asked : asked.slice(0, 1))];
    }),
  );
  return legs.flat();
}
