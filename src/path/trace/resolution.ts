import type { TraceLoss, TracePlace, TraceWay } from '../../engine/trace.ts';
import type { ArpLayer, Icmpv6Layer, Layer } from '../../nodes/parse/frame/layer.ts';
import { normalAddress } from '../addresses.ts';
import { ways } from './changes.ts';
import { isSilenceSure } from './losses.ts';
import type { Observation } from './observation.ts';

/** Frames of address resolution that serve one way of the probe, counted by point. */
export interface Resolution {
  readonly asked: readonly number[];
  readonly told: readonly number[];
  /** The addresses that were asked for. */
  readonly addresses: readonly string[];
}

interface Frame {
  readonly asks: boolean;
  /** The address whose MAC is wanted, or told. */
  readonly address: string;
}

/** Neighbour solicitation and advertisement, RFC 4861 4.3 and 4.4. */
const solicitation = 135;
const advertisement = 136;

function frameOf(layers: readonly Layer[]): Frame | undefined {
  const last = layers.findLast((l): l is ArpLayer | Icmpv6Layer => l.layer === 'arp' || l.layer === 'icmpv6');
  if (last?.layer === 'arp') {
    if (last.operation === 'request') return { asks: true, address: normalAddress(last.target) };
    return last.operation === 'reply' ? { asks: false, address: normalAddress(last.sender) } : undefined;
  }
  if (last?.target === undefined) return undefined;
  if (last.type === solicitation) return { asks: true, address: normalAddress(last.target) };
  return last.type === advertisement ? { asks: false, address: normalAddress(last.target) } : undefined;
}

/**
 * Which way of the probe each question and answer serves: a question the way on which it goes itself; an answer that
 * of the question for the same address, and where that was seen nowhere the other way than its own.
 */
export function resolutions({ leg, sightings }: Observation): Record<TraceWay, Resolution> {
  const frames = sightings.flatMap((s) => {
    const frame = s.sequence === 0 ? frameOf(s.layers) : undefined;
    return frame === undefined ? [] : [{ ...frame, way: s.way, point: s.point }];
  });
  const asked = new Map<string, Set<TraceWay>>();
  for (const { asks, address, way } of frames) {
    if (asks) asked.set(address, (asked.get(address) ?? new Set()).add(way));
  }
  const serves = ({ asks, address, way }: (typeof frames)[number]): TraceWay => {
    const [only, other] = asked.get(address) ?? [];
    if (!asks && only !== undefined && other === undefined) return only;
    return asks ? way : way === 'there' ? 'back' : 'there';
  };
  const count = (way: TraceWay, asks: boolean): number[] =>
    leg.points.map((_, p) => frames.filter((f) => f.asks === asks && f.point === p && serves(f) === way).length);
  const of = (way: TraceWay): Resolution => ({
    asked: count(way, true),
    told: count(way, false),
    addresses: [...new Set(frames.flatMap((f) => (f.asks && f.way === way ? [f.address] : [])))].sort(),
  });
  return { there: of('there'), back: of('back') };
}

/**
 * Where address resolution fails behind the place at which the probe was last seen: the probe itself is then held back
 * and not lost. Undefined when some of it passed, when nothing was asked behind that place, or when who asked was told.
 */
export function failedResolution(
  observation: Observation,
  found: Readonly<Record<TraceWay, Resolution>>,
  stop: TraceLoss,
): TraceLoss | undefined {
  if (observation.leg.probe.protocol === 'arp' || stop.lost < stop.of) return undefined;
  for (const way of ways) {
    const failed = failedOn(way, observation, found[way], stop.after);
    if (failed !== undefined) return failed;
  }
  return undefined;
}

/** By position on the way: 0 is the point that a packet meets first. */
function failedOn(
  way: TraceWay,
  { leg, watches }: Observation,
  { asked, told }: Resolution,
  last: TracePlace,
): TraceLoss | undefined {
  const points = leg.points.length;
  const pointAt = (position: number): number => (way === 'there' ? position : points - 1 - position);
  const start = startOn(way, last, points);
  if (start === undefined) return undefined;
  const seen = (counts: readonly number[]): number[] =>
    leg.points.flatMap((_, position) => (position > start && (counts[pointAt(position)] ?? 0) > 0 ? [position] : []));
  const questions = seen(asked);
  const answers = seen(told);
  const [asker] = questions;
  const furthest = questions.at(-1);
  if (asker === undefined || furthest === undefined) return undefined;
  const nearest = answers[0];
  if (nearest !== undefined && nearest <= asker) return undefined;
  const place = (position: number, on: TraceWay): TracePlace => ({ at: 'point', point: pointAt(position), way: on });
  const sure = (position: number): boolean => isSilenceSure(watches[pointAt(position)]);
  const inside = (positions: readonly number[]): Pick<TraceLoss, 'blind' | 'uncertain'> => {
    const kinds = (kind: string): number[] =>
      positions
        .map(pointAt)
        .filter((p) => watches[p]?.kind === kind)
        .sort((a, b) => a - b);
    return { blind: kinds('blind'), uncertain: kinds('watched') };
  };
  const range = (from: number, to: number): number[] =>
    Array.from({ length: Math.max(0, to - from) }, (_, i) => from + i);
  if (nearest !== undefined) {
    const home = range(asker, nearest).findLast(sure);
    if (home === undefined) return undefined;
    const other = way === 'there' ? 'back' : 'there';
    const lost = told[pointAt(nearest)] ?? 0;
    return {
      kind: 'edge',
      way: other,
      packet: 'is-at',
      after: place(nearest, other),
      before: place(home, other),
      lost,
      of: lost,
      ...inside(range(home + 1, nearest)),
    };
  }
  const lost = asked[pointAt(furthest)] ?? 0;
  const next = range(furthest + 1, points).find(sure);
  const held = inside(range(furthest + 1, next ?? points));
  const isEnd = next === undefined;
  return {
    kind: !isEnd || way === 'back' ? 'edge' : held.blind.length + held.uncertain.length === 0 ? 'answerer' : 'turn',
    way,
    packet: 'who-has',
    after: place(furthest, way),
    before: next === undefined ? { at: way === 'there' ? 'answerer' : 'sender' } : place(next, way),
    lost,
    of: lost,
    ...held,
  };
}

/** The position behind which a question can be about the probe that was last seen at this place. */
function startOn(way: TraceWay, last: TracePlace, points: number): number | undefined {
  if (last.at === 'sender') return way === 'there' ? -1 : undefined;
  if (last.at === 'answerer') return way === 'back' ? -1 : undefined;
  if (way === 'there') return last.way === 'there' ? last.point : undefined;
  return last.way === 'back' ? points - 1 - last.point : last.point === points - 1 ? -1 : undefined;
}
