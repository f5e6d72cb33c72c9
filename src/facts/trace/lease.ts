import { discoverSize } from '../../path/trace/craft.ts';
import type { Point } from '../../path/trace/point.ts';
import type { Store } from '../io.ts';
import type { Placement } from '../placement.ts';
import type { ServingRouter } from '../port-api.ts';
import type { PortSubject } from '../subject.ts';
import { type Conversation, nameOf, type PlannedLeg, present, type Traffic } from './leg.ts';
import { guestEnd, pointsBetween } from './points.ts';
import { betweenRouterAnd, type DhcpEnd, dhcpEnds } from './stretches.ts';
import { switchPortOf, takesPackets } from './switch-port.ts';

/** What the instance's side of the switch sees of the offer alone: the request is put in behind it, or elsewhere. */
export const backOnly = (points: readonly Point[]): Point[] =>
  points.map((point) => ({ ...point, only: 'back' as const }));

/** The first part of the conversation in which an instance gets its address: what it asks, and what it is offered. */
const asking = (traffic: Traffic): Traffic => ({ protocol: 'dhcp', count: traffic.count, size: discoverSize });

const serverName = ({ host }: DhcpEnd): string => `dhcp on ${host}`;

/** From the instance's port of Open vSwitch to the server, and the offer back to the tap. */
async function asItself(
  facts: Store,
  { subject, place, traffic }: Conversation,
  server: DhcpEnd,
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
      title: `in the name of ${nameOf(subject)} → ${serverName(server)}`,
      probe: { ...asking(traffic), from: '0.0.0.0', to: '255.255.255.255' },
      sender: { host: place.host, port: `port ${port.port} of ${port.bridge}` },
      points: [...backOnly(points.slice(0, guest.points.length)), ...points.slice(guest.points.length)],
      answerer: { kind: 'namespace', name: serverName(server) },
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
  { subject, place, own, traffic }: Conversation,
  serving: ServingRouter,
  server: DhcpEnd,
): Promise<PlannedLeg | undefined> {
  const router = await betweenRouterAnd(facts, place, serving, subject, own);
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
      title: `router on ${router.host} asks ${serverName(server)} for ${nameOf(subject)}`,
      probe: { ...asking(traffic), from: router.own, to: server.own },
      sender: { host: router.host, netns: router.netns },
      points: [...there, ...backOnly(offered.slice(0, offered.length - ends)), ...offered.slice(offered.length - ends)],
      answerer: { kind: 'namespace', name: serverName(server) },
      limits: [
        `The router asked with the MAC address of ${nameOf(subject)}: what the server offers it, and the offer's way to the tap, are proved; the way of its own request to the server is not${whereInjected(place)}.`,
      ],
    },
  };
}

/** Which flag walks more, where one can. */
export const whereInjected = (place: Placement): string =>
  takesPackets(place) ? ' (--inject walks it)' : ' (a Linux bridge has no place to put it in)';

/** The stretches of `--probe dhcp`: to every server of the network, for each answers. */
export async function leaseLegs(facts: Store, conversation: Conversation): Promise<readonly PlannedLeg[]> {
  const { subject, place, own, routers, inject, everyWay } = conversation;
  const servers = await dhcpEnds(facts, place, subject, own);
  const legs = await Promise.all(
    servers.map(async (server) => {
      const itself = await asItself(facts, conversation, server);
      if (inject && itself !== undefined && !everyWay) return [itself];
      const asked = present(
        await Promise.all(routers.map((serving) => askedByRouter(facts, conversation, serving, server))),
      ).map((leg) => (inject || itself === undefined ? leg : { ...leg, asks: itself }));
      return [...present([inject ? itself : undefined]), ...(everyWay ? asked : asked.slice(0, 1))];
    }),
  );
  return legs.flat();
}
