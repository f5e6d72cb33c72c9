import type { TraceLoss, TracePlace, TraceWay } from '../../engine/trace.ts';
import type { Watch } from './observation.ts';
import type { Packets, Refusal, Sorted } from './packets.ts';
import { type Point, passes } from './point.ts';

/**
 * The walk as one line of stations: the sender, the points on the way there, the answerer, the points on the way back,
 * the sender again.
 */
export interface Stations {
  readonly last: number;
  readonly answerer: number;
  place(station: number): TracePlace;
  way(station: number): TraceWay;
  /** Whether not to be seen here means not to have been here. */
  silenceIsSure(station: number): boolean;
  /** Points strictly between two stations whose silence says nothing, with why it does. */
  between(from: number, to: number): { readonly blind: readonly number[]; readonly uncertain: readonly number[] };
}

export const isSilenceSure = (watch: Watch | undefined): boolean =>
  watch !== undefined && watch.kind !== 'blind' && (watch.kind !== 'watched' || watch.dropped === 0);

export function stationsOf(watches: readonly Watch[], points: readonly Point[]): Stations {
  const n = watches.length;
  const answerer = n + 1;
  const last = 2 * n + 2;
  const pointOf = (station: number): number => (station <= n ? station - 1 : last - 1 - station);
  const isPoint = (station: number): boolean => station > 0 && station < last && station !== answerer;
  const way = (station: number): TraceWay => (station <= answerer ? 'there' : 'back');
  const isPassed = (station: number): boolean => isPoint(station) && passes(points[pointOf(station)], way(station));
  return {
    last,
    answerer,
    way,
    place: (station) =>
      isPoint(station)
        ? { at: 'point', point: pointOf(station), way: way(station) }
        : { at: station === answerer ? 'answerer' : 'sender' },
    silenceIsSure: (station) => station === last || (isPassed(station) && isSilenceSure(watches[pointOf(station)])),
    between(from, to) {
      const within = new Set<number>();
      for (let s = from + 1; s < to; s += 1) if (isPassed(s)) within.add(pointOf(s));
      // The turn passes a point twice: one that is an end itself is not in between.
      for (const end of [from, to]) if (isPoint(end)) within.delete(pointOf(end));
      const inOrder = [...within].sort((a, b) => a - b);
      return {
        blind: inOrder.filter((p) => watches[p]?.kind === 'blind'),
        uncertain: inOrder.filter((p) => watches[p]?.kind === 'watched'),
      };
    },
  };
}

/** The last station at which each packet was seen; those the sender counted as answered are at the end. */
export function furthest(
  { packets, refusals, numbers }: Sorted,
  stations: Stations,
  answered: number,
): ReadonlyMap<number, number> {
  const points = packets.there.length;
  const reached = new Map(numbers.map((n) => [n, 0]));
  const note = (sequence: number, station: number): void => {
    reached.set(sequence, Math.max(reached.get(sequence) ?? 0, station));
  };
  packets.there.forEach((at, p) => {
    for (const n of at.keys()) note(n, p + 1);
  });
  packets.back.forEach((at, p) => {
    for (const n of at.keys()) note(n, stations.answerer + points - p);
  });
  // The sender counts answers without their numbers: those that came nearest to it are taken for them.
  const refused = new Set(refusals.map((r) => r.sequence));
  const nearest = [...reached].filter(([n]) => !refused.has(n)).sort(([a, s], [b, t]) => t - s || a - b);
  for (const [sequence] of nearest.slice(0, answered)) reached.set(sequence, stations.last);
  return reached;
}

interface Span {
  readonly from: number;
  readonly to: number;
  packets: number[];
  /** Points that may have lost some of its packets, were it not that their captures lost them. */
  uncertain: readonly number[];
}

/**
 * Where packets are lost, in the order of the path. A packet is lost between the last station at which it was seen and
 * the next at which silence is sure. Of two such stretches one inside the other, the narrower is taken to hold the
 * losses of both: one place that loses is likelier than two.
 */
export function lossesOf(
  reached: ReadonlyMap<number, number>,
  stations: Stations,
  refusals: readonly Refusal[],
): TraceLoss[] {
  const spans = new Map<string, Span>();
  for (const [sequence, from] of reached) {
    if (from === stations.last) continue;
    let to = from + 1;
    while (to < stations.last && !stations.silenceIsSure(to)) to += 1;
    const key = `${from}-${to}`;
    const span = spans.get(key) ?? { from, to, packets: [], uncertain: stations.between(from, to).uncertain };
    span.packets.push(sequence);
    spans.set(key, span);
  }
  return narrowed([...spans.values()])
    .sort((a, b) => a.from - b.from || a.to - b.to)
    .map((span) => {
      const { from, to } = span;
      const turns = from < stations.answerer && to > stations.answerer;
      const { blind } = stations.between(from, to);
      const certain = blind.length + span.uncertain.length === 0;
      const lost = new Set(span.packets);
      const refused = refusals.find((r) => lost.has(r.sequence));
      return {
        kind: turns ? (certain ? 'answerer' : 'turn') : 'edge',
        way: stations.way(from),
        packet: 'probe',
        after: stations.place(from),
        before: stations.place(to),
        lost: lost.size,
        of: [...reached].filter(([n, at]) => at >= from || lost.has(n)).length,
        blind,
        uncertain: span.uncertain,
        ...(refused === undefined
          ? {}
          : {
              refused: {
                by: refused.by,
                says: refused.says,
                ...(refused.mtu === undefined ? {} : { mtu: refused.mtu }),
              },
            }),
      };
    });
}

function narrowed(spans: readonly Span[]): Span[] {
  const byWidth = [...spans].sort((a, b) => b.to - b.from - (a.to - a.from) || a.from - b.from);
  const kept: Span[] = [];
  byWidth.forEach((span, index) => {
    const inside = byWidth
      .slice(index + 1)
      .filter((other) => other.from >= span.from && other.to <= span.to)
      .sort((a, b) => b.packets.length - a.packets.length || a.from - b.from)[0];
    if (inside === undefined) {
      kept.push(span);
      return;
    }
    inside.packets.push(...span.packets);
    inside.uncertain = [...new Set([...inside.uncertain, ...span.uncertain])].sort((a, b) => a - b);
  });
  return kept;
}

/** The place at which most are lost; of several the first. */
export const worstOf = (losses: readonly TraceLoss[]): TraceLoss | undefined =>
  losses.reduce<TraceLoss | undefined>(
    (worst, loss) => (worst === undefined || loss.lost > worst.lost ? loss : worst),
    undefined,
  );

/**
 * Points that were silent about packets which are known to have passed them, by way: how many. Points behind the last
 * one that saw anything on either way are not meant: see `answeredBefore`.
 */
export function overlookedOf(
  reached: ReadonlyMap<number, number>,
  packets: Packets,
  watches: readonly Watch[],
  points: readonly Point[],
  upTo: number,
): Record<TraceWay, number[]> {
  const n = watches.length;
  const missed = (way: TraceWay, p: number): number => {
    if (p >= upTo || !isSilenceSure(watches[p]) || !passes(points[p], way)) return 0;
    const station = way === 'there' ? p + 1 : n + 1 + n - p;
    let count = 0;
    for (const [sequence, at] of reached) if (at > station && packets[way][p]?.has(sequence) !== true) count += 1;
    return count;
  };
  return {
    there: watches.map((_, p) => missed('there', p)),
    back: watches.map((_, p) => missed('back', p)),
  };
}

/**
 * Where answers come although the points nearest to the answerer saw nothing on either way: the point behind which
 * somebody answers in its place (another machine with its address, a responder), and those that saw nothing. Undefined
 * when the answers come from where they should, or nothing can be said.
 */
export function answeredBefore(
  reached: ReadonlyMap<number, number>,
  packets: Packets,
  watches: readonly Watch[],
  answerer: number,
): { readonly after: number; readonly silent: readonly number[] } | undefined {
  if (![...reached.values()].some((at) => at > answerer)) return undefined;
  const saw = watches.map((_, p) => (packets.there[p]?.size ?? 0) + (packets.back[p]?.size ?? 0) > 0);
  const after = saw.lastIndexOf(true);
  const silent = watches.flatMap((watch, p) => (p > after && isSilenceSure(watch) ? [p] : []));
  return after < 0 || silent.length === 0 ? undefined : { after, silent };
}
