import type { Trace, TraceChange, TraceLoss, TracePlace, TraceWay } from '../../engine/trace.ts';
import { stationOf } from '../../path/trace/station.ts';

/** `5 × icmp 10.0.0.2 → 10.0.0.148, 84 bytes`. A sender outside may not know its own address. */
export function probeWords({ probe, sent }: Trace): string {
  const port = probe.port === undefined ? '' : `/${probe.port}`;
  const from = probe.from === '' ? '' : `${probe.from} `;
  return `${sent} × ${probe.protocol}${port} ${from}→ ${probe.to}, ${probe.size} bytes`;
}

/** By its address, or what is known instead. */
export const senderName = ({ probe, sender }: Trace): string => (probe.from === '' ? sender.host : probe.from);

/** Before which point a stop is drawn, counted in the order of the points: `points.length` is behind the last one. */
export function rowOfStop(stop: TraceLoss, points: number): number {
  const row = (place: TracePlace): number =>
    place.at === 'sender' ? 0 : place.at === 'answerer' ? points : place.point;
  if (stop.kind !== 'edge') return points;
  return stop.way === 'there' ? row(stop.before) : row(stop.after);
}

/** `STOPS HERE ↓ all 5 lost on the way there`; short enough for a narrow screen. */
export function stopTitle({ stop, answerer }: Trace, arrows: Readonly<Record<TraceWay, string>>): string {
  if (stop === undefined) return '';
  const head = stop.lost === stop.of ? 'STOPS HERE' : 'LOSES HERE';
  const arrow = arrows[stop.way];
  if (stop.kind === 'turn') return `${head} ${arrow} no answer seen from ${answerer.name} (or it is not reached)`;
  if (stop.packet === 'who-has' && stop.kind === 'answerer') return `${head} ${answerer.name} does not answer who-has`;
  if (stop.packet !== 'probe') return `${head} ${arrow} ${stop.packet} goes no further: address resolution fails`;
  const lost =
    stop.lost === stop.of ? (stop.of === 1 ? 'it is' : `all ${stop.of} are`) : `${stop.lost} of ${stop.of} are`;
  if (stop.kind === 'answerer')
    return `${head} ${answerer.name} answers ${stop.lost === stop.of ? `none of ${stop.of}` : `${stop.of - stop.lost} of ${stop.of}`}`;
  return `${head} ${arrow} ${lost} lost on the way ${stop.way}`;
}

/** Whether nothing of the probe came to this point on this way, for all of it is lost before. */
export function isBehind({ stop, points }: Trace, point: number, way: TraceWay): boolean {
  if (stop === undefined || stop.lost < stop.of) return false;
  return stationOf({ at: 'point', point, way }, points.length, false) > stationOf(stop.after, points.length, false);
}

const changeNames: Readonly<Record<TraceChange['what'], string>> = {
  source: 'source',
  destination: 'destination',
  'source-port': 'source port',
  'destination-port': 'destination port',
  'icmp-id': 'ICMP id',
  ttl: 'TTL',
  'source-mac': 'source MAC',
  'destination-mac': 'destination MAC',
  tag: 'VLAN tag',
  vni: 'VNI',
  size: 'size',
  df: 'DF',
};

/** `source 10.0.0.148 → 198.19.0.182`. */
export const changeWords = ({ what, from, to }: TraceChange): string => `${changeNames[what]} ${from} → ${to}`;

/**
 * Changes worth a line. What a point's own dress says already (a tunnel, a tag) is none, nor is a MAC address that
 * changed because the packet was routed.
 */
export function tellingChanges(trace: Trace, all: boolean): readonly TraceChange[] {
  if (all) return trace.changes;
  const routed = new Set(trace.changes.filter((c) => c.what === 'ttl').map((c) => `${c.way} ${c.after}`));
  return trace.changes.filter((change) => {
    if (change.what === 'source-mac' || change.what === 'destination-mac')
      return !routed.has(`${change.way} ${change.after}`);
    if (change.what !== 'tag' && change.what !== 'vni') return true;
    const dress = (point: number): string => trace.points[point]?.wears ?? '';
    return dress(change.after) === dress(change.before);
  });
}
