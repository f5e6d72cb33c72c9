import { err, ok, type Result } from '../../engine/result.ts';
import { sameAddress } from '../../path/addresses.ts';
import type { Journey } from '../../path/ovn/journeys.ts';
import { discoverSize, synSize } from '../../path/trace/craft.ts';
import type { Leg } from '../../path/trace/observation.ts';
import type { Point } from '../../path/trace/point.ts';
import type { Store } from '../io.ts';
import { logicalView } from '../ovn/logical.ts';
import { type Pair, pairs } from '../pair.ts';
import { type Placement, placement } from '../placement.ts';
import { externalSubnets, networkById, portSubnets, type ServingRouter } from '../port-api.ts';
import type { PortSubject } from '../subject.ts';
import { backOnly, unseenOf } from './lease.ts';
import { fromThisMachine, nameOf, type PlannedLeg, type Planner, present, subnetOf, type Wish } from './leg.ts';
import { initialOf } from './mark.ts';
import { metadataAddress, metadataPort } from './metadata.ts';
import { across, bridged, floatingsOf, type Gateway, gatewayOf, keysOf, metadataEnd, overlay } from './ovn-places.ts';
import { guestEnd } from './points.ts';
import { switchPortOf } from './switch-port.ts';

type Place = Extract<Journey['leaves'], { readonly network: string }>;

const portPlace = (id: string, { host, segment }: Placement): Place => ({
  kind: 'port',
  id,
  host,
  network: segment.networkId,
});

const outsidePlace = ({ host, segment }: Gateway): Place => ({
  kind: 'outside',
  host,
  network: segment.networkId,
  physical: segment.physicalNetwork,
});

/** An instance's end, and what is sent to it or from it. */
type Ended = Pick<Wish, 'subject' | 'place' | 'to' | 'traffic'>;

/** From where a host serves metadata to one of its own instances. */
async function fromMetadata(facts: Store, { subject, place, to, traffic }: Ended): Promise<PlannedLeg | undefined> {
  const end = await metadataEnd(facts, place, subject, to);
  if (end === undefined) return undefined;
  return {
    from: 'ovnmeta',
    addresses: [to],
    guest: subject,
    journey: { enters: portPlace(end.id, place), leaves: portPlace(subject.id, place) },
    leg: {
      title: `metadata namespace on ${end.host} → ${nameOf(subject)}`,
      probe: { ...traffic, from: end.own, to },
      sender: { host: end.host, netns: end.netns },
      points: [...end.points, ...[...guestEnd(place).points].reverse()],
      answerer: { kind: 'guest', name: nameOf(subject) },
    },
  };
}

/** From this machine to each floating address of the port, where it is translated to the instance. */
async function throughFloating(
  facts: Store,
  { subject, place, routers, traffic }: Pick<Wish, 'subject' | 'place' | 'routers' | 'traffic'>,
): Promise<readonly PlannedLeg[]> {
  const [floatings, keys] = await Promise.all([floatingsOf(facts, subject), keysOf(facts, subject)]);
  const legs = await Promise.all(
    floatings.map(async ({ address, fixed, routerId, distributed }): Promise<PlannedLeg | undefined> => {
      const serving = routers.find((r) => r.router.id === routerId);
      const gateway = serving && (await gatewayOf(facts, subject, serving));
      if (gateway === undefined) return undefined;
      const at = distributed ? place.host : gateway.host;
      const [outer, inner] = await Promise.all([
        bridged(facts, gateway.segment, at),
        // The answer is routed on the instance's host and goes to the gateway as the router's.
        across(facts, place.segment, at, place.host, { there: keys(place.segment.networkId), back: keys(routerId) }),
      ]);
      const points = [...[...outer].reverse(), ...inner, ...[...guestEnd(place).points].reverse()];
      return {
        ...fromThisMachine(subject, traffic, { address, fixed }, points),
        journey: { enters: outsidePlace({ ...gateway, host: at }), leaves: portPlace(subject.id, place) },
      };
    }),
  );
  return present(legs);
}

/** From this machine to an instance directly on an external network. */
async function fromHere(facts: Store, { subject, place, to, traffic }: Ended): Promise<PlannedLeg | undefined> {
  const network = await facts.get(networkById, place.segment.networkId);
  if (!network.ok || network.value.value['router:external'] !== true) return undefined;
  const outer = await bridged(facts, place.segment, place.host);
  const points = [...[...outer].reverse(), ...[...guestEnd(place).points].reverse()];
  return {
    ...fromThisMachine(subject, traffic, { address: to }, points),
    journey: { enters: outsidePlace(place), leaves: portPlace(subject.id, place) },
  };
}

/** What an instance is to seem to have sent, and where it goes from its port. */
interface Sent {
  readonly to: string;
  /** Of the next hop. */
  readonly mac: string;
  /** Behind the instance's own device, which sees what comes back. */
  readonly points: readonly Point[];
  readonly answerer: Leg['answerer'];
  readonly leaves: Journey['leaves'];
  readonly probe?: Omit<Leg['probe'], 'from' | 'to'>;
  readonly from?: string;
  readonly more?: Partial<Pick<PlannedLeg, 'guest' | 'server' | 'leaves' | 'addresses'>>;
  readonly limits?: readonly string[];
}

/** Put in at the instance's port of the integration bridge, as if its tap had received it. */
async function inItsName(
  facts: Store,
  { subject, place, to: own, traffic }: Ended,
  sent: Sent,
): Promise<PlannedLeg | undefined> {
  const port = await switchPortOf(facts, place);
  if (port === undefined) return undefined;
  return {
    from: 'port',
    addresses: [sent.to],
    injected: { ...port, sourceMac: subject.port.value.mac_address, destinationMac: sent.mac },
    journey: { enters: portPlace(subject.id, place), leaves: sent.leaves },
    ...sent.more,
    leg: {
      title: `in the name of ${nameOf(subject)} → ${sent.answerer.name}`,
      probe: { ...traffic, protocol: 'icmp', ...sent.probe, from: sent.from ?? own, to: sent.to },
      sender: { host: place.host, port: `port ${port.port} of ${port.bridge}` },
      points: [...backOnly(guestEnd(place).points), ...sent.points],
      answerer: sent.answerer,
      ...(sent.limits === undefined ? {} : { limits: sent.limits }),
    },
  };
}

/** The router's own port in the subnet of an instance's address. */
const legOf = (serving: ServingRouter, subject: PortSubject, own: string) => {
  const subnet = subnetOf(subject, own);
  const port = serving.insides.find((p) => p.fixed_ips.some((f) => f.subnet_id === subnet));
  const address = port?.fixed_ips.find((f) => f.subnet_id === subnet)?.ip_address;
  return port === undefined || address === undefined ? undefined : { mac: port.mac_address, address };
};

/** To the router, which every host's own flows are. */
async function toRouter(facts: Store, wish: Wish, serving: ServingRouter): Promise<PlannedLeg | undefined> {
  const { subject, place, to } = wish;
  const leg = legOf(serving, subject, to);
  if (leg === undefined) return undefined;
  return inItsName(facts, wish, {
    to: leg.address,
    mac: leg.mac,
    points: [],
    answerer: { kind: 'namespace', name: `router ${serving.router.name} in the flows of ${place.host}` },
    leaves: { kind: 'server' },
  });
}

/** Where packets of the instance leave by a router: its gateway chassis, or the own host where that has the floating address. */
async function exitOf(
  facts: Store,
  { subject, place, to }: Wish,
  serving: ServingRouter,
): Promise<Gateway | undefined> {
  const [gateway, floatings] = await Promise.all([gatewayOf(facts, subject, serving), floatingsOf(facts, subject)]);
  const own = floatings.some((f) => f.distributed && sameAddress(f.fixed, to));
  return gateway && (own ? { ...gateway, host: place.host } : gateway);
}

/** Through the router and out of the cloud. */
async function outwards(facts: Store, wish: Wish, serving: ServingRouter, to: string): Promise<PlannedLeg | undefined> {
  const { subject, place, to: own } = wish;
  const [gateway, keys] = await Promise.all([exitOf(facts, wish, serving), keysOf(facts, subject)]);
  const leg = legOf(serving, subject, own);
  if (leg === undefined || gateway === undefined) return undefined;
  const carried = { there: keys(serving.router.id), back: keys(place.segment.networkId) };
  const [inner, outer] = await Promise.all([
    across(facts, place.segment, place.host, gateway.host, carried),
    bridged(facts, gateway.segment, gateway.host),
  ]);
  return inItsName(facts, wish, {
    to,
    mac: leg.mac,
    points: [...inner, ...outer],
    answerer: { kind: 'outside', name: to },
    leaves: outsidePlace(gateway),
  });
}

/** From an instance's port to another's: over their network, routed on its own host, or out by the router's gateway. */
async function wayToPeer(
  facts: Store,
  wish: Wish,
  { peer, own, way }: Pair,
  far: Placement,
): Promise<{ readonly mac: string; readonly points: readonly Point[] } | undefined> {
  const { subject, place } = wish;
  const [mine, theirs] = await Promise.all([keysOf(facts, subject), keysOf(facts, peer)]);
  const keys = { there: theirs(far.segment.networkId), back: mine(place.segment.networkId) };
  if (way.kind === 'same-network') {
    const points = await across(facts, place.segment, place.host, far.host, keys);
    return { mac: peer.port.value.mac_address, points };
  }
  const leg = way.kind === 'routed' ? legOf(way.router, subject, own) : undefined;
  if (way.kind !== 'routed' || leg === undefined) return undefined;
  const { router } = way;
  if (router.router.external_gateway_info?.network_id !== far.segment.networkId) {
    return { mac: leg.mac, points: await overlay(facts, place.host, far.host, keys) };
  }
  const gateway = await exitOf(facts, wish, router);
  if (gateway === undefined) return undefined;
  const carried = { there: mine(router.router.id), back: mine(place.segment.networkId) };
  const [inner, outer] = await Promise.all([
    across(facts, place.segment, place.host, gateway.host, carried),
    across(facts, far.segment, gateway.host, far.host, carried),
  ]);
  return { mac: leg.mac, points: [...inner, ...outer] };
}

/** To another instance. */
async function toPeer(facts: Store, wish: Wish, pair: Pair): Promise<PlannedLeg | undefined> {
  const there = await facts.get(placement, pair.peer);
  const way = there.ok ? await wayToPeer(facts, wish, pair, there.value.value) : undefined;
  if (!there.ok || way === undefined) return undefined;
  return inItsName(
    facts,
    { ...wish, to: pair.own },
    {
      to: pair.theirs,
      mac: way.mac,
      points: [...way.points, ...[...guestEnd(there.value.value).points].reverse()],
      answerer: { kind: 'guest', name: pair.name },
      leaves: portPlace(pair.peer.id, there.value.value),
      more: { guest: pair.peer },
    },
  );
}

/** To where the own host serves metadata. */
async function toMetadata(facts: Store, wish: Wish, connection: boolean): Promise<PlannedLeg | undefined> {
  const { subject, place, to, traffic } = wish;
  const end = await metadataEnd(facts, place, subject, to);
  if (end === undefined) return undefined;
  const points = [...end.points].reverse();
  const name = `metadata namespace on ${end.host}`;
  if (!connection)
    return inItsName(facts, wish, {
      to: end.own,
      mac: end.mac,
      points,
      answerer: { kind: 'namespace', name },
      leaves: portPlace(end.id, place),
    });
  const planned = await inItsName(facts, wish, {
    to: metadataAddress,
    mac: end.mac,
    points,
    answerer: { kind: 'namespace', name: `metadata on ${end.host}` },
    leaves: portPlace(end.id, place),
    probe: { protocol: 'tcp', port: metadataPort, count: traffic.count, size: synSize },
    // Whoever has the address asks for the instance's MAC in its own name.
    more: {
      addresses: [metadataAddress, end.own],
      server: { agent: 'neutron-ovn-metadata-agent', host: end.host },
      leaves: subject,
    },
    limits: [`${unseenOf(subject, place)} It resets what it did not open.`, behindProxy],
  });
  return (
    planned && { ...planned, leg: { ...planned.leg, probe: { ...planned.leg.probe, initial: initialOf(planned) } } }
  );
}

const behindProxy =
  'What the proxy makes of a request (agent, Nova) is asked by the checks below, not by these packets.';

/** A DISCOVER, which ovn-controller of the own host answers: nothing of it leaves the host. */
async function toResponder(facts: Store, wish: Wish): Promise<PlannedLeg | undefined> {
  const { subject, place, to, traffic } = wish;
  const [logical, subnets] = await Promise.all([facts.get(logicalView, subject), facts.get(portSubnets, subject)]);
  const gateway = (subnets.ok ? subnets.value.value : []).find((s) => s.id === subnetOf(subject, to))?.gateway_ip;
  const said = (logical.ok ? logical.value.value.dhcp : []).flatMap((d) => d.options.get('server_id') ?? []);
  const server = said.length > 0 ? said : gateway ? [gateway] : [];
  return inItsName(facts, wish, {
    to: '255.255.255.255',
    from: '0.0.0.0',
    mac: 'ff:ff:ff:ff:ff:ff',
    points: [],
    answerer: { kind: 'namespace', name: `OVN's DHCP on ${place.host}` },
    leaves: { kind: 'server' },
    probe: { protocol: 'dhcp', count: traffic.count, size: discoverSize },
    more: { addresses: [...new Set(server)], server: { agent: 'ovn-controller', host: place.host } },
    limits: [unseenOf(subject, place)],
  });
}

async function begun(
  facts: Store,
  wish: Wish,
  what: 'dhcp' | 'metadata',
): Promise<Result<readonly PlannedLeg[], string>> {
  const { subject, place, trace } = wish;
  if (what === 'dhcp') {
    return trace.inject
      ? ok(present([await toResponder(facts, wish)]))
      : err(
          `OVN answers DHCP in the flows of ${place.host}, and only what comes from the port of ${nameOf(subject)} itself: --inject asks in its name`,
        );
  }
  const itself = await toMetadata(facts, wish, true);
  if (itself === undefined) return err(`no metadata port of Neutron serves ${nameOf(subject)}`);
  if (trace.inject && !trace.everyWay) return ok([itself]);
  const near = await fromMetadata(facts, { ...wish, traffic: { ...wish.traffic, protocol: 'icmp' } });
  const asking: PlannedLeg | undefined = near && {
    ...near,
    ...(itself.server === undefined ? {} : { server: itself.server }),
    ...(trace.inject ? {} : { asks: itself }),
    leg: {
      ...near.leg,
      limits: [
        `From where metadata is served to ${nameOf(subject)} and back. Its connection to ${metadataAddress} is not walked (--inject walks it).`,
        behindProxy,
      ],
    },
  };
  return ok(present([trace.inject ? itself : undefined, asking]));
}

/** What the instance itself would send towards the other end. */
async function injected(facts: Store, wish: Wish): Promise<readonly (PlannedLeg | undefined)[]> {
  const { subject, trace, routers, peer } = wish;
  const towardsRouters = () => Promise.all(routers.map((r) => toRouter(facts, wish, r)));
  switch (trace.other) {
    case 'dhcp':
    case 'metadata':
      return [await toMetadata(facts, wish, false)];
    case 'router':
    case 'gateway':
      return towardsRouters();
    case 'outside': {
      const external = await facts.get(externalSubnets, subject);
      return Promise.all(
        routers.map(async (r) => {
          const gateway = external.ok ? external.value.value.get(r.router.id)?.gateway_ip : undefined;
          return gateway ? outwards(facts, wish, r, gateway) : undefined;
        }),
      );
    }
    case 'peer': {
      if (peer?.kind === 'address') return Promise.all(routers.map((r) => outwards(facts, wish, r, peer.address)));
      const pair = await facts.get(pairs, subject);
      return pair.ok ? [await toPeer(facts, wish, pair.value.value)] : [];
    }
  }
}

/** What can be sent without the instance: from its metadata namespace, and from this machine. */
async function sent(facts: Store, wish: Wish): Promise<readonly (PlannedLeg | undefined)[]> {
  const { subject, place, traffic, trace, peer } = wish;
  const near = () => fromMetadata(facts, wish);
  switch (trace.other) {
    case 'dhcp':
    case 'gateway':
      return trace.everyWay ? [await near()] : [];
    case 'metadata':
      return [await near()];
    case 'router':
      return [...(await throughFloating(facts, wish)), trace.everyWay ? await near() : undefined];
    case 'outside': {
      const here = await fromHere(facts, wish);
      return here === undefined ? throughFloating(facts, wish) : [here];
    }
    case 'peer': {
      const pair = peer?.kind === 'address' ? undefined : await facts.get(pairs, subject);
      if (pair?.ok !== true) return [];
      const { peer: far, own, theirs } = pair.value.value;
      const there = await facts.get(placement, far);
      const fixed = far.port.value.fixed_ips.find((f) => f.ip_address === theirs)?.ip_address;
      const end = there.ok && fixed !== undefined ? { subject: far, place: there.value.value, to: fixed } : undefined;
      return [
        await fromMetadata(facts, { subject, place, to: own, traffic }),
        end && ((await fromMetadata(facts, { ...end, traffic })) ?? (await fromHere(facts, { ...end, traffic }))),
      ];
    }
  }
}

/** Why there is nothing that could be sent without the instance. */
function nobody({ subject, place, trace, peer }: Wish): string {
  const name = nameOf(subject);
  const walked = trace.inject ? '' : `: --inject sends in the name of ${name}`;
  switch (trace.other) {
    case 'dhcp':
      return `OVN answers DHCP in the flows of ${place.host}, no server of it could send${trace.inject ? '' : ' (ostk-doctor trace … metadata sends from the metadata namespace)'}`;
    case 'router':
      return `routers of OVN are flows on every host, nothing of them could send${walked}`;
    case 'gateway':
      return `the gateway of ${name} is flows of a router of OVN, or nothing of Neutron's${walked}`;
    case 'metadata':
      return `no metadata port of Neutron is on the network of ${name}`;
    case 'outside':
      return `${name} has no floating IP that this machine could send to${walked}`;
    case 'peer':
      return `nothing of OVN can send between ${name} and ${peer?.text ?? 'it'}${walked}`;
  }
}

/**
 * Where OVN's flows are switch, router and DHCP server on every host: from the metadata namespace on the instance's own host, from this
 * machine to a floating address, and in the instance's name from its port.
 */
export const ovnLegs: Planner = async (facts, wish) => {
  const { traffic, trace } = wish;
  if (trace.begun !== undefined) return begun(facts, wish, trace.begun);
  if (traffic.protocol === 'arp') {
    return err(
      `OVN answers who-has in the flows of whoever asks: the question does not come to ${nameOf(wish.subject)}`,
    );
  }
  const legs = present([...(await sent(facts, wish)), ...(trace.inject ? await injected(facts, wish) : [])]);
  return legs.length === 0 ? err(nobody(wish)) : ok(legs);
};
