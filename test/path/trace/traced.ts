import type { Trace, TraceCount, TraceLoss, TracePoint, TraceWay } from '../../../src/engine/trace.ts';

/** All five packets. */
const count: TraceCount = { seen: 5, of: 5, overlooked: 0, asked: 0, told: 0 };

export const tracePoint = (host: string, device: string, more: Partial<TracePoint> = {}): TracePoint => ({
  host,
  device,
  watch: 'watched',
  dropped: 0,
  there: count,
  back: count,
  ...more,
});

/** A trace of five pings that all came back. */
export const traceThrough = (points: readonly TracePoint[], more: Partial<Trace> = {}): Trace => ({
  title: 'router on net1 → web-1',
  probe: { protocol: 'icmp', from: '10.0.0.1', to: '10.0.0.94', size: 84 },
  sender: { host: 'net1', netns: 'qrouter-1' },
  answerer: { kind: 'guest', name: 'web-1' },
  sent: 5,
  answered: 5,
  points,
  losses: [],
  changes: [],
  misfits: [],
  clock: 'net1',
  clocks: [],
  reading: '',
  notes: [],
  ...more,
});

/** All five packets were seen at the point of that number, and never at the next on their way. */
export const lostBehind = (point: number, way: TraceWay = 'there', more: Partial<TraceLoss> = {}): TraceLoss => ({
  kind: 'edge',
  way,
  packet: 'probe',
  after: { at: 'point', point, way },
  before: { at: 'point', point: way === 'there' ? point + 1 : point - 1, way },
  lost: 5,
  of: 5,
  blind: [],
  uncertain: [],
  ...more,
});
