import type { IcmpLayer, Icmpv6Layer, Layer, TcpLayer } from '../../nodes/parse/frame/layer.ts';
import type { Observation, Sighting, Way } from './observation.ts';
import { passes } from './point.ts';

/** The first sighting of each packet, by way, then by point, then by the packet's number. */
export type Packets = Readonly<Record<Way, readonly ReadonlyMap<number, Sighting>[]>>;

/** A packet that somebody on the way answered in the answerer's place: it says so itself. */
export interface Refusal {
  readonly sequence: number;
  readonly by: string;
  readonly says: string;
  readonly mtu?: number;
}

export interface Sorted {
  readonly packets: Packets;
  readonly refusals: readonly Refusal[];
  /** Numbers of all packets that were sent. */
  readonly numbers: readonly number[];
}

/** In time; what is seen at the same instant in an order of its own, so that the order of sightings never matters. */
export const inTime = (a: Sighting, b: Sighting): number =>
  a.at < b.at ? -1 : a.at > b.at ? 1 : a.length - b.length || compareText(textOf(a), textOf(b));

const textOf = (s: Sighting): string => JSON.stringify([s.point, s.way, s.sequence, s.layers]);
const compareText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/**
 * Sorts the probe's own packets out of what was seen. ARP requests bear no number: where they are the probe itself the
 * n-th one at a point is number n. Refusals (an ICMP error, a reset from somebody before the answerer) are no answers.
 */
export function sortPackets(observation: Observation): Sorted {
  const points = observation.leg.points.length;
  const packets = { there: maps(points), back: maps(points) };
  const refusing: Sighting[] = [];
  const numbered = [...observation.sightings].sort(inTime);
  for (const sighting of observation.leg.probe.protocol === 'arp' ? countOff(numbered) : numbered) {
    const at = packets[sighting.way][sighting.point];
    // A flooded copy comes by elsewhere, too.
    if (sighting.sequence < 1 || at === undefined || !passes(observation.leg.points[sighting.point], sighting.way))
      continue;
    if (refusalIn(sighting.layers) !== undefined && sighting.way === 'back') refusing.push(sighting);
    else if (!at.has(sighting.sequence)) at.set(sighting.sequence, sighting);
  }
  const refusals = new Map<number, Refusal>();
  for (const sighting of refusing) {
    const refusal = refusalOf(sighting, observation, packets, refusing);
    if (refusal !== undefined) {
      if (!refusals.has(refusal.sequence)) refusals.set(refusal.sequence, refusal);
      continue;
    }
    const at = packets.back[sighting.point];
    if (at !== undefined && !at.has(sighting.sequence)) at.set(sighting.sequence, sighting);
  }
  const numbers = new Set(Array.from({ length: observation.sent }, (_, i) => i + 1));
  for (const way of [packets.there, packets.back]) for (const at of way) for (const n of at.keys()) numbers.add(n);
  return { packets, refusals: [...refusals.values()], numbers: [...numbers].sort((a, b) => a - b) };
}

const maps = (count: number): Map<number, Sighting>[] => Array.from({ length: count }, () => new Map());

function countOff(sightings: readonly Sighting[]): Sighting[] {
  const counts = new Map<string, number>();
  return sightings.map((sighting) => {
    if (sighting.sequence > 0) return sighting;
    const place = `${sighting.way} ${sighting.point}`;
    const sequence = (counts.get(place) ?? 0) + 1;
    counts.set(place, sequence);
    return { ...sighting, sequence };
  });
}

/**
 * Undefined when the answerer itself says it: a closed port answers with a reset or with `port unreachable`, and so
 * does a firewall's REJECT in its place. Who was last seen before the answerer, on either way, tells them apart.
 */
function refusalOf(
  sighting: Sighting,
  { leg, watches }: Observation,
  packets: Packets,
  refusing: readonly Sighting[],
): Refusal | undefined {
  const error = refusalIn(sighting.layers);
  if (error === undefined) return undefined;
  if (error.closed) {
    const last = watches.findLastIndex((w) => w.kind !== 'blind');
    const reached =
      packets.there[last]?.has(sighting.sequence) === true ||
      refusing.some((r) => r.point === last && r.sequence === sighting.sequence);
    const watch = watches[last];
    if (reached || watch === undefined || (watch.kind === 'watched' && watch.dropped > 0)) return undefined;
  }
  const by = innerOf(sighting.layers).ip?.source ?? leg.answerer.name;
  return {
    sequence: sighting.sequence,
    by,
    says: error.says,
    ...(error.mtu === undefined ? {} : { mtu: error.mtu }),
  };
}

interface Refused {
  readonly says: string;
  readonly mtu?: number;
  /** What a machine also says of a port on which nobody listens. */
  readonly closed: boolean;
}

function refusalIn(layers: readonly Layer[]): Refused | undefined {
  const last = layers.findLast(
    (l): l is IcmpLayer | Icmpv6Layer | TcpLayer => l.layer === 'icmp' || l.layer === 'icmpv6' || l.layer === 'tcp',
  );
  switch (last?.layer) {
    case 'tcp':
      return last.flags?.includes('rst') === true ? { says: 'connection refused', closed: true } : undefined;
    case 'icmp':
      return icmpRefusal(last);
    case 'icmpv6':
      return icmpv6Refusal(last);
    default:
      return undefined;
  }
}

/** RFC 792, RFC 1812 5.2.7.1. */
const unreachableV4: Readonly<Record<number, string>> = {
  0: 'network unreachable',
  1: 'host unreachable',
  2: 'protocol unreachable',
  3: 'port unreachable',
  4: 'fragmentation needed',
  9: 'network administratively prohibited',
  10: 'host administratively prohibited',
  13: 'administratively prohibited',
};

function icmpRefusal({ type, code, mtu }: IcmpLayer): Refused | undefined {
  const of = mtu === undefined ? {} : { mtu };
  if (type === 3)
    return { says: unreachableV4[code] ?? `unreachable (code ${code})`, closed: code === 2 || code === 3, ...of };
  if (type === 11) return { says: code === 0 ? 'TTL exceeded' : 'reassembly took too long', closed: false };
  return type === 12 ? { says: 'parameter problem', closed: false } : undefined;
}

/** RFC 4443. */
const unreachableV6: Readonly<Record<number, string>> = {
  0: 'no route',
  1: 'administratively prohibited',
  2: 'beyond the scope of the source address',
  3: 'address unreachable',
  4: 'port unreachable',
  5: 'source address refused by policy',
  6: 'route rejects it',
};

function icmpv6Refusal({ type, code, mtu }: Icmpv6Layer): Refused | undefined {
  if (type === 1) return { says: unreachableV6[code] ?? `unreachable (code ${code})`, closed: code === 4 };
  if (type === 2) return { says: 'packet too big', closed: false, ...(mtu === undefined ? {} : { mtu }) };
  if (type === 3) return { says: code === 0 ? 'hop limit exceeded' : 'reassembly took too long', closed: false };
  return type === 4 ? { says: 'parameter problem', closed: false } : undefined;
}

/** Of tunnel layers only. */
type Tunnel = Extract<Layer, { readonly layer: 'vxlan' | 'gre' | 'geneve' }>;

/** A packet without the tunnel it is carried in, and that tunnel. */
export interface Inner {
  readonly ethernet?: Extract<Layer, { readonly layer: 'ethernet' }>;
  /** Outermost first. */
  readonly tags: readonly number[];
  readonly ip?: Extract<Layer, { readonly layer: 'ipv4' | 'ipv6' }>;
  readonly transport?: Extract<Layer, { readonly layer: 'icmp' | 'icmpv6' | 'tcp' | 'udp' }>;
  readonly tunnel?: {
    readonly by: Tunnel['layer'];
    readonly vni: number | undefined;
    readonly endpoints: readonly [string, string] | undefined;
  };
}

const isTunnel = (layer: Layer): layer is Tunnel =>
  layer.layer === 'vxlan' || layer.layer === 'gre' || layer.layer === 'geneve';
const isIp = (layer: Layer): layer is Extract<Layer, { readonly layer: 'ipv4' | 'ipv6' }> =>
  layer.layer === 'ipv4' || layer.layer === 'ipv6';

export function innerOf(layers: readonly Layer[]): Inner {
  const at = layers.findLastIndex(isTunnel);
  const tunnel = layers[at];
  const inside = layers.slice(at + 1);
  const ethernet = inside.find((l) => l.layer === 'ethernet');
  const ip = inside.find(isIp);
  const transport = inside.find(
    (l) => l.layer === 'icmp' || l.layer === 'icmpv6' || l.layer === 'tcp' || l.layer === 'udp',
  );
  const outer = layers.slice(0, Math.max(0, at)).findLast(isIp);
  return {
    ...(ethernet === undefined ? {} : { ethernet }),
    // Tag 0 is a priority without a VLAN (IEEE 802.1Q 9.6).
    tags: inside.flatMap((l) => (l.layer === 'vlan' && l.id !== 0 ? [l.id] : [])),
    ...(ip === undefined ? {} : { ip }),
    ...(transport === undefined ? {} : { transport }),
    ...(tunnel === undefined || !isTunnel(tunnel)
      ? {}
      : {
          tunnel: {
            by: tunnel.layer,
            vni: tunnel.layer === 'gre' ? tunnel.key : tunnel.vni,
            endpoints: outer === undefined ? undefined : [outer.source, outer.destination],
          },
        }),
  };
}
