import type { Evidence } from '../engine/evidence.ts';
import { type FactSource, observed } from '../engine/fact.ts';
import { err } from '../engine/result.ts';
import { familyOf } from '../path/addresses.ts';
import { encapsulationOverhead, fullSizePayload } from '../path/mtu.ts';
import { agents } from './cloud-api.ts';
import { connects } from './connect.ts';
import { type Forwardings, waysOf } from './forwarding.ts';
import { hostLinks, hostOvs } from './host.ts';
import { type Io, probesOff, run, type Store, showing, source } from './io.ts';
import { knockCommand, knocks } from './knock.ts';
import { fullSizePings, pingsFromDhcp, pingsFromRouter, pingsOfFloating, sendPing } from './ping.ts';
import { boundPort, placement } from './placement.ts';
import { portNetwork, type ServingRouter, servingRouters } from './port-api.ts';
import type { RulePlaces } from './rules.ts';
import { countersOf, type HostCounters, type UnderlayPing } from './second-look.ts';
import { computeHostOf, type PortSubject, theCloud } from './subject.ts';
import { endpointOf, type TunnelLink, type Tunnels } from './tunnel.ts';

/** How packets get from one port to the other. */
export type Way =
  | { readonly kind: 'same-network' }
  | { readonly kind: 'routed'; readonly router: ServingRouter }
  /** The peer is named by its floating address: out through the router of the one, in through that of the other. */
  | { readonly kind: 'floating' }
  /** No router has a leg in both networks; static routes over several may still join them. */
  | { readonly kind: 'apart'; readonly routers: readonly ServingRouter[] };

/** The target's port and the port of the peer that it talks to. */
export interface Pair {
  readonly peer: PortSubject;
  readonly name: string;
  /** Addresses the two know each other by. */
  readonly own: string;
  readonly theirs: string;
  readonly way: Way;
}

const byId = (subject: PortSubject): string => subject.id;
const noPeer = { kind: 'unsupported', because: 'no peer was named (--to)' } as const;

/** The address of a port that is of the family of another address. */
const addressLike = (port: PortSubject, like: string | undefined): string | undefined => {
  const all = port.port.value.fixed_ips.map((f) => f.ip_address);
  const family = like === undefined ? undefined : familyOf(like);
  return (
    all.find((a) => (family === undefined ? familyOf(a) === 4 : familyOf(a) === family)) ??
    (family === undefined ? all[0] : undefined)
  );
};

/** The port of the peer this port talks to, and over what; another port of the instance may be nearer to it. */
export const pairs = source<PortSubject, Pair>('port.pair', byId, async (subject, facts) => {
  const { peer } = facts.io;
  if (peer?.kind !== 'port') return err(noPeer);
  const network = subject.port.value.network_id;
  const others = peer.ports.filter((p) => p.id !== subject.id);
  const [first] = others;
  if (first === undefined)
    return err({ kind: 'unsupported', because: `${peer.text} is the instance itself, or has no port` });
  const named = peer.address;
  const isFloating =
    named !== undefined && !others.some((p) => p.port.value.fixed_ips.some((f) => f.ip_address === named));
  const make = (port: PortSubject, way: Way): Pair | undefined => {
    const theirs = named ?? addressLike(port, undefined);
    const own = theirs === undefined ? undefined : addressLike(subject, theirs);
    return theirs === undefined || own === undefined ? undefined : { peer: port, name: peer.name, own, theirs, way };
  };
  const unaddressed = {
    kind: 'unsupported',
    because: `the two ports have no addresses of one family`,
  } as const;
  if (isFloating) {
    const pair = make(first, { kind: 'floating' });
    return pair === undefined ? err(unaddressed) : observed(pair, ...first.port.evidence);
  }
  const neighbour = others.find((p) => p.port.value.network_id === network);
  if (neighbour !== undefined) {
    const pair = make(neighbour, { kind: 'same-network' });
    return pair === undefined ? err(unaddressed) : observed(pair, ...neighbour.port.evidence);
  }
  const elsewhere = subject.instance?.ports?.value.find((p) =>
    others.some((o) => o.port.value.network_id === p.network_id),
  );
  if (elsewhere !== undefined) {
    return err({ kind: 'unsupported', because: `its port ${elsewhere.id.slice(0, 8)} is on the peer's own network` });
  }
  const routers = await facts.get(servingRouters, subject);
  if (!routers.ok) return routers;
  for (const router of routers.value.value) {
    const outside = router.router.external_gateway_info?.network_id;
    const legs = new Set(router.ports.map((p) => p.network_id));
    const reached = others.find(
      (p) => legs.has(p.port.value.network_id) || (outside !== undefined && p.port.value.network_id === outside),
    );
    if (reached === undefined) continue;
    const pair = make(reached, { kind: 'routed', router });
    return pair === undefined ? err(unaddressed) : observed(pair, ...routers.value.evidence);
  }
  const pair = make(first, { kind: 'apart', routers: routers.value.value });
  return pair === undefined ? err(unaddressed) : observed(pair, ...routers.value.evidence);
});

/** The tunnel between the hosts of the two ports. */
export const pairTunnel = source<
  PortSubject,
  { readonly shape: Tunnels['shape']; readonly link: TunnelLink; readonly far: PortSubject }
>('port.pair-tunnel', byId, async (subject, facts) => {
  const pair = await facts.get(pairs, subject);
  if (!pair.ok) return pair;
  const { peer, name, way } = pair.value.value;
  if (way.kind !== 'same-network')
    return err({ kind: 'unsupported', because: 'the two are joined by a router: their hosts send to its host' });
  const [place, list] = await Promise.all([facts.get(placement, subject), facts.get(agents, theCloud)]);
  if (!place.ok) return place;
  if (!list.ok) return list;
  const { backend, segment, host } = place.value.value;
  const there = computeHostOf(peer);
  if (there === undefined) return err({ kind: 'unsupported', because: `the API names no host for ${name}` });
  if (there === host) return err({ kind: 'unsupported', because: `both are on ${host}: no tunnel in between` });
  const shape = backend.tunnel(segment);
  if (shape === undefined)
    return err({
      kind: 'unsupported',
      because: `network ${segment.networkName} is ${segment.type ?? 'hidden'}: no tunnel`,
    });
  const [computeEndpoint, peerEndpoint] = [host, there].map((h) => endpointOf(list.value.value, h));
  if (computeEndpoint === undefined || peerEndpoint === undefined)
    return err({ kind: 'unsupported', because: 'an agent reports no tunnel endpoint' });
  return observed(
    {
      shape,
      far: peer,
      link: {
        compute: host,
        peer: there,
        computeEndpoint,
        peerEndpoint,
        peerPorts: [peer.port.value],
        peerDevices: backend.attachment(boundPort(peer.port.value), segment).map((d) => d.name),
      },
    },
    ...list.value.evidence,
  );
});

/** What both hosts have to send to each other. */
export const pairForwardings = source<PortSubject, Forwardings>(
  'port.pair-forwardings',
  byId,
  async (subject, facts) => {
    const [place, tunnel] = await Promise.all([facts.get(placement, subject), facts.get(pairTunnel, subject)]);
    if (!place.ok) return place;
    if (!tunnel.ok) return tunnel;
    return waysOf(facts, subject, place.value.value, tunnel.value.value.shape, [tunnel.value.value.link]);
  },
);

/** Packets for the tunnel's UDP port of the other host, and how many of them its kernel or its switch took in. */
export interface Knock {
  readonly from: string;
  readonly to: string;
  readonly sent: number;
  /** Undefined when nothing on the receiver counts them, or what it counts is mostly other traffic. */
  readonly arrived: number | undefined;
  readonly by: string;
  /** The counter is right at once; a switch brings its own up to date every now and then only. */
  readonly exact: boolean;
  readonly evidence: Evidence;
}

export interface PairLook {
  readonly before: ReadonlyMap<string, HostCounters>;
  readonly after: ReadonlyMap<string, HostCounters>;
  readonly underlay: readonly UnderlayPing[];
  /** May not be fragmented, and as large as the network's full-size packets in their tunnel. */
  readonly full: readonly UnderlayPing[];
  readonly fullSize: number | undefined;
  readonly knocks: readonly Knock[];
}

async function tunnelPort(facts: Store, host: string, shape: Tunnels['shape']): Promise<number | undefined> {
  if (shape.kind !== 'vxlan') return undefined;
  if (shape.by.kind === 'device') {
    const { device } = shape.by;
    const links = await facts.get(hostLinks, host);
    return links.ok ? links.value.value.find((l) => l.name === device)?.vxlan?.port : undefined;
  }
  const { bridge } = shape.by;
  const ovs = await facts.get(hostOvs, host);
  if (!ovs.ok) return undefined;
  const ends = ovs.value.value.bridges.find((b) => b.name === bridge)?.ports.flatMap((p) => p.interfaces) ?? [];
  const stated = ends.find((i) => i.type === 'vxlan')?.options.get('dst_port');
  return stated === undefined ? 4789 : Number(stated);
}

type Round = 'pair-before' | 'pair-after';

/** UDP datagrams that the kernel of a host has taken in; those of its own VXLAN devices count, too (udp_queue_rcv_one_skb, net/ipv4/udp.c). */
const datagrams = (at: HostCounters | undefined): number | undefined =>
  at === undefined || Object.keys(at.kernel).length === 0 ? undefined : (at.kernel.UdpInDatagrams ?? 0);

/** What the switch counted on its tunnel port towards a peer. */
async function received(
  facts: Store,
  host: string,
  bridge: string,
  remote: string,
  at: HostCounters | undefined,
): Promise<number | undefined> {
  const ovs = await facts.get(hostOvs, host);
  if (!ovs.ok || at === undefined) return undefined;
  const end = ovs.value.value.bridges
    .find((b) => b.name === bridge)
    ?.ports.flatMap((p) => p.interfaces)
    .find((i) => i.options.get('remote_ip') === remote);
  if (end === undefined) return undefined;
  const names = [String(end.ofport ?? ''), end.name];
  return at.ports.get(bridge)?.find((p) => names.includes(p.port))?.rx;
}

/**
 * The way between the hosts of the two ports, tried from host to host because no guest can be told to send: a plain ping, a ping of
 * full size, and packets for the tunnel itself, between two readings of every counter of both hosts.
 */
export const pairLook = source<PortSubject, PairLook>('port.pair-look', byId, async (subject, facts) => {
  if (!facts.io.options.mayProbe) return err(probesOff);
  const [tunnel, place, network] = await Promise.all([
    facts.get(pairTunnel, subject),
    facts.get(placement, subject),
    facts.get(portNetwork, subject),
  ]);
  if (!tunnel.ok) return tunnel;
  if (!place.ok) return place;
  const { shape, link } = tunnel.value.value;
  const hosts = [link.compute, link.peer];
  const usesOvs = place.value.value.backend.name.startsWith('ov');
  const places = await Promise.all(
    hosts.map(async (host): Promise<RulePlaces> => {
      const ovs = usesOvs ? await facts.get(hostOvs, host) : undefined;
      return {
        host,
        namespaces: [],
        bridges: ovs?.ok === true ? ovs.value.value.bridges.map((b) => b.name) : [],
      };
    }),
  );
  const udpPort = await tunnelPort(facts, link.compute, shape);
  const family = familyOf(link.computeEndpoint) ?? 4;
  const mtu = network.ok ? network.value.value.mtu : undefined;
  const fullSize = mtu === undefined ? undefined : mtu + encapsulationOverhead(shape.kind, family, 30);
  const readAll = async (round: Round): Promise<ReadonlyMap<string, HostCounters>> => {
    const all = await Promise.all(places.map(async (p) => [p.host, await countersOf(facts, p, round)] as const));
    return new Map(all.flatMap(([host, one]) => (one === undefined ? [] : [[host, one] as const])));
  };
  // The other probes of this run cross the same tunnels: their packets must not be taken for these.
  await Promise.all(
    [subject, tunnel.value.value.far].flatMap((port) =>
      [pingsFromDhcp, pingsFromRouter, pingsOfFloating, fullSizePings, connects].map((other) =>
        facts.get<PortSubject, unknown>(other, port),
      ),
    ),
  );
  const before = await readAll('pair-before');
  const underlay: UnderlayPing[] = [];
  const full: UnderlayPing[] = [];
  const sent: { from: string; to: string; own: string; evidence: Evidence }[] = [];
  const ways = [
    { from: link.compute, own: link.computeEndpoint, to: link.peerEndpoint, toHost: link.peer },
    { from: link.peer, own: link.peerEndpoint, to: link.computeEndpoint, toHost: link.compute },
  ];
  await Promise.all(
    ways.flatMap(({ from, own, to, toHost }) => [
      sendPing(facts, { from: 'qdhcp', host: from }, to, ['-I', own], 'pair').then((p) => {
        if (p.ok) underlay.push({ from, to, toHost, ...p.value });
      }),
      ...(fullSize === undefined
        ? []
        : [
            sendPing(
              facts,
              { from: 'qdhcp', host: from },
              to,
              ['-I', own, '-M', 'do', '-s', String(fullSizePayload(fullSize, family))],
              'pair',
            ).then((p) => {
              if (p.ok) full.push({ from, to, toHost, ...p.value });
            }),
          ]),
      ...(udpPort === undefined
        ? []
        : [
            run(facts, from, knockCommand(to, udpPort, 'vxlan')).then((r) => {
              if (!r.ok || r.value.result.code !== 0) return;
              const evidence = showing(
                r.value.evidence,
                `${knocks} VXLAN packets of no network sent to ${to} UDP ${udpPort}`,
              );
              sent.push({ from, to: toHost, own, evidence });
            }),
          ]),
    ]),
  );
  const after = await readAll('pair-after');
  const difference = (a: number | undefined, b: number | undefined): number | undefined =>
    a === undefined || b === undefined ? undefined : b - a;
  const counted = await Promise.all(
    sent.map(async ({ from, to, own, evidence }): Promise<Knock> => {
      const [was, is] = [before.get(to), after.get(to)];
      const { by } = shape;
      const arrived =
        by.kind === 'device'
          ? difference(datagrams(was), datagrams(is))
          : difference(await received(facts, to, by.bridge, own, was), await received(facts, to, by.bridge, own, is));
      // Beside that much other traffic the counter of all UDP proves nothing of these few.
      const drowned = by.kind === 'device' && (arrived ?? 0) > 2 * knocks;
      const what = by.kind === 'device' ? 'UdpInDatagrams of its kernel' : `the tunnel port of ${by.bridge}`;
      return {
        from,
        to,
        sent: knocks,
        arrived: drowned ? undefined : arrived,
        by: what,
        exact: by.kind === 'device',
        evidence,
      };
    }),
  );
  const byHost = <T extends { from: string }>(list: T[]): T[] => list.sort((a, b) => (a.from < b.from ? -1 : 1));
  return observed(
    {
      before,
      after,
      underlay: byHost(underlay),
      full: byHost(full),
      fullSize,
      knocks: byHost(counted),
    },
    ...underlay.map((u) => u.evidence),
  );
});

/** The same fact of the peer's port. */
export const ofPeer = <T>(inner: FactSource<Io, PortSubject, T>): FactSource<Io, PortSubject, T> =>
  source(`peer.${inner.name}`, byId, async (subject, facts) => {
    const pair = await facts.get(pairs, subject);
    return pair.ok ? facts.get(inner, pair.value.value.peer) : pair;
  });
