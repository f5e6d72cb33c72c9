import type { TracePlace } from '../../../src/engine/trace.ts';
import type { Layer } from '../../../src/nodes/parse/frame/layer.ts';
import type { Leg, Observation, Sighting, Watch, Way } from '../../../src/path/trace/observation.ts';
import type { Point, Wearing } from '../../../src/path/trace/point.ts';

export const plain: Wearing = { kind: 'plain' };
export const watched: Watch = { kind: 'watched', captured: 10, dropped: 0 };
export const blind: Watch = { kind: 'blind', why: 'tcpdump is not installed' };

export const point = (
  host: string,
  device: string,
  wears: Wearing = plain,
  more: Partial<Pick<Point, 'netns' | 'kind'>> = {},
): Point => ({ host, device, kind: 'bridge', wears, ...more });

export const mac = (n: number): string => `fa:16:3e:00:00:${n.toString(16).padStart(2, '0')}`;

/** A frame as it is made at its sender; what changes on the way is up to `frame` of a world. */
export interface Frame {
  readonly source: string;
  readonly destination: string;
  readonly sourceMac?: string;
  readonly destinationMac?: string;
  readonly ttl?: number;
  readonly size?: number;
  readonly dontFragment?: boolean;
  readonly tag?: number;
  readonly transport?: Layer;
}

export function layersOf(frame: Frame, dress: Wearing = plain): Layer[] {
  const size = frame.size ?? 84;
  const inside: Layer[] = [
    {
      layer: 'ethernet',
      source: frame.sourceMac ?? mac(1),
      destination: frame.destinationMac ?? mac(2),
      type: frame.tag === undefined ? 0x0800 : 0x8100,
    },
    ...(frame.tag === undefined
      ? []
      : [{ layer: 'vlan', id: frame.tag, priority: 0, tpid: 0x8100, type: 0x0800 } as const]),
    {
      layer: 'ipv4',
      source: frame.source,
      destination: frame.destination,
      ttl: frame.ttl ?? 64,
      id: 7,
      protocol: 1,
      dscp: 0,
      dontFragment: frame.dontFragment ?? true,
      moreFragments: false,
      fragmentOffset: 0,
      totalLength: size,
    },
    frame.transport ?? { layer: 'icmp', type: 8, code: 0, id: 77, sequence: 1 },
  ];
  return dressed(inside, dress);
}

export function dressed(inside: readonly Layer[], dress: Wearing): Layer[] {
  if (dress.kind !== 'tunnel') return [...inside];
  const [source, destination] = dress.endpoints;
  return [
    { layer: 'ethernet', source: mac(91), destination: mac(92), type: 0x0800 },
    {
      layer: 'ipv4',
      source,
      destination,
      ttl: 64,
      id: 1,
      protocol: 17,
      dscp: 0,
      dontFragment: false,
      moreFragments: false,
      fragmentOffset: 0,
      totalLength: 134,
    },
    ...(dress.by === 'gre'
      ? [{ layer: 'gre', protocol: 0x6558, ...(dress.vni === undefined ? {} : { key: dress.vni }) } as const]
      : dress.by === 'vxlan'
        ? [
            { layer: 'udp', sourcePort: 40000, destinationPort: 4789, length: 114 } as const,
            { layer: 'vxlan', vni: dress.vni ?? 0 } as const,
          ]
        : [
            { layer: 'udp', sourcePort: 40000, destinationPort: 6081, length: 114 } as const,
            { layer: 'geneve', vni: dress.vni ?? 0, protocol: 0x6558, optionsLength: 0 } as const,
          ]),
    ...inside,
  ];
}

export interface World {
  readonly points: readonly Point[];
  readonly sent?: number;
  /** Edge `e` lies between stations e and e + 1 of the walk there and back; true when it takes packet n. */
  readonly takes?: (edge: number, n: number) => boolean;
  readonly watches?: readonly Watch[];
  /** Packets that a point sees although they pass; all by default. */
  readonly sees?: (point: number, way: Way, n: number) => boolean;
  /** ns by which a host's clock is ahead. */
  readonly clocks?: Readonly<Record<string, bigint>>;
  /** ns an edge takes packet n. */
  readonly delay?: (edge: number, n: number) => bigint;
  readonly frame?: (point: number, way: Way, n: number) => Frame;
  readonly wears?: (point: number, way: Way) => Wearing;
  readonly leg?: Partial<Leg>;
  readonly answered?: number;
}

/** Number of edges of a walk over so many points, there and back. */
export const edgesOf = (points: number): number => 2 * points + 2;

/** What is seen when packets walk a path of which everything is known. */
export function simulate(world: World): Observation {
  const { points, sent = 5 } = world;
  const n = points.length;
  const watches = world.watches ?? points.map(() => watched);
  const sightings: Sighting[] = [];
  let arrived = 0;
  for (let sequence = 1; sequence <= sent; sequence += 1) {
    let at = 1_790_000_000_000_000_000n + BigInt(sequence) * 200_000_000n;
    let lost = false;
    for (let edge = 0; edge < edgesOf(n) && !lost; edge += 1) {
      at += world.delay?.(edge, sequence) ?? 10_000n;
      lost = world.takes?.(edge, sequence) ?? false;
      const station = edge + 1;
      if (lost || station === n + 1 || station === 2 * n + 2) continue;
      const way: Way = station <= n ? 'there' : 'back';
      const p = way === 'there' ? station - 1 : 2 * n + 1 - station;
      const where = points[p];
      const watch = watches[p];
      if (where === undefined || watch?.kind !== 'watched' || world.sees?.(p, way, sequence) === false) continue;
      const frame = world.frame?.(p, way, sequence) ?? usual(way);
      sightings.push({
        point: p,
        way,
        sequence,
        at: at + (world.clocks?.[where.host] ?? 0n),
        layers: layersOf(frame, world.wears?.(p, way) ?? where.wears),
        length: 98,
      });
    }
    if (!lost) arrived += 1;
  }
  return {
    leg: {
      title: 'dhcp on net1 → web-1',
      probe: { protocol: 'icmp', from: '10.0.0.2', to: '10.0.0.148', count: sent, size: 84 },
      sender: { host: points[0]?.host ?? 'net1', netns: 'qdhcp-653e7a42-cc1c-4b0e-9d0c-7f1f7a4c2b22' },
      answerer: { kind: 'guest', name: 'web-1' },
      points,
      ...world.leg,
    },
    watches,
    sightings,
    sent,
    answered: world.answered ?? arrived,
  };
}

export const usual = (way: Way): Frame =>
  way === 'there'
    ? { source: '10.0.0.2', destination: '10.0.0.148' }
    : {
        source: '10.0.0.148',
        destination: '10.0.0.2',
        sourceMac: mac(2),
        destinationMac: mac(1),
        transport: { layer: 'icmp', type: 0, code: 0, id: 77, sequence: 1 },
      };

/** The station of a place: how far on the walk there and back it is. */
export function stationOf(place: TracePlace, points: number, isEnd: boolean): number {
  if (place.at === 'answerer') return points + 1;
  if (place.at === 'sender') return isEnd ? edgesOf(points) : 0;
  return place.way === 'there' ? place.point + 1 : 2 * points + 1 - place.point;
}

/** ARP as it is seen at one point: without a number. */
export function arpAt(
  where: number,
  way: Way,
  operation: 'request' | 'reply',
  asker = '10.0.0.2',
  wanted = '10.0.0.148',
  at = 1_790_000_000_000_000_000n,
): Sighting {
  const [sender, target] = operation === 'request' ? [asker, wanted] : [wanted, asker];
  return {
    point: where,
    way,
    sequence: 0,
    at: at + BigInt(where) * 1000n,
    layers: [
      { layer: 'ethernet', source: mac(1), destination: 'ff:ff:ff:ff:ff:ff', type: 0x0806 },
      { layer: 'arp', operation, senderMac: mac(1), sender, targetMac: '00:00:00:00:00:00', target },
    ],
    length: 42,
  };
}
