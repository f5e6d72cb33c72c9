import type { Trace, TracePlace, TracePoint, TraceWay } from '../../../src/engine/trace.ts';
import type { Variant } from '../score/expectation.ts';

/** What stands between two neighbours of the path, or between an end of it and the first or last device. */
export type Medium =
  /** A namespace's own sockets. */
  | 'local'
  /** Forwarding inside a namespace. */
  | 'routed'
  | 'veth'
  | 'bridge'
  /** The stack of a host between a VXLAN device and the underlay's NIC, by the way there. */
  | 'encap'
  | 'decap'
  | 'ovs'
  /** Between hosts. */
  | 'fabric'
  /** Where nothing is placed: guests, the world outside. */
  | 'beyond';

const isTunnel = (p: TracePoint): boolean => p.wears !== undefined && !p.wears.startsWith('vlan');
const isHybridPair = (a: TracePoint, b: TracePoint): boolean => /^qv[bo]/.test(a.device) && /^qv[bo]/.test(b.device);

function between(a: TracePoint, b: TracePoint, variant: Variant): Medium {
  if (a.host !== b.host) return 'fabric';
  if (a.netns !== undefined && a.netns === b.netns) return 'routed';
  if (isHybridPair(a, b)) return 'veth';
  if (/^qvb/.test(a.device) || /^qvb/.test(b.device)) return 'bridge';
  if (a.netns !== b.netns && (variant === 'lb' || variant === 'ovn')) return 'veth';
  if (variant !== 'lb') return 'ovs';
  if (isTunnel(a)) return 'decap';
  return isTunnel(b) ? 'encap' : 'bridge';
}

/** One more than there are points: `media[i]` is what a packet passes before it comes to point i on the way there. */
export function mediaOf({ points, sender }: Trace, variant: Variant): Medium[] {
  return [
    ...points.map((point, i): Medium => {
      const before = points[i - 1];
      if (before !== undefined) return between(before, point, variant);
      return sender.netns !== undefined && sender.netns === point.netns ? 'local' : 'beyond';
    }),
    'beyond',
  ];
}

/** Whether a device takes a packet in or puts it out. */
export type Turn = 'in' | 'out';

const takesIn: readonly Medium[] = ['veth', 'fabric', 'decap', 'beyond'];

/** On the way there; the other way round on the way back. What Open vSwitch gives to a namespace, its kernel takes in. */
export const turnsOf = (media: readonly Medium[], { points }: Trace): Turn[] =>
  points.map(({ netns }, i) => {
    const before = media[i] ?? 'beyond';
    return takesIn.includes(before) || (before === 'ovs' && netns !== undefined) ? 'in' : 'out';
  });

/**
 * The walk as a line: 0 the sender, then the points on the way there, the answerer, the points on the way back, the sender again.
 */
export function stationOf(place: TracePlace, points: number, way: TraceWay): number {
  switch (place.at) {
    case 'sender':
      return way === 'there' ? 0 : 2 * points + 2;
    case 'answerer':
      return points + 1;
    case 'point':
      return pointStation(place.point, points, place.way);
  }
}

export const pointStation = (point: number, points: number, way: TraceWay): number =>
  way === 'there' ? point + 1 : 2 * points + 1 - point;

/** Between which two stations packets are lost. */
export interface Edge {
  readonly after: number;
  readonly before: number;
}

/** `qr-81315fca-24@net1 > tap81315fca-24@net1 (there)` */
export function edgeName({ after, before }: Edge, { points, answerer }: Trace): string {
  const n = points.length;
  const name = (station: number): string => {
    if (station === 0 || station === 2 * n + 2) return 'sender';
    if (station === n + 1) return answerer.name;
    const point = points[station <= n ? station - 1 : 2 * n + 1 - station];
    return point === undefined ? '?' : `${point.device}@${point.host}`;
  };
  return `${name(after)} > ${name(before)} (${after <= n ? 'there' : 'back'})`;
}
