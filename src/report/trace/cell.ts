import type { Trace, TracePlace, TraceWay } from '../../engine/trace.ts';
import { timeWords } from '../../path/trace/words.ts';
import { isBehind } from './place.ts';

/**
 * What a point shows of one way. `seen`: all that could be. `part`: some, or what is known to have passed unseen.
 * `lost`: what should have come and did not. `beyond`: nothing came so far. `blind`: could not look.
 */
export interface TraceCell {
  readonly state: 'seen' | 'part' | 'lost' | 'beyond' | 'blind';
  readonly words: string;
  readonly time?: string;
}

export function cellOf(trace: Trace, point: number, way: TraceWay): TraceCell {
  const at = trace.points[point];
  if (at === undefined || at.watch === 'blind') return { state: 'blind', words: 'blind' };
  const { seen, of, overlooked, transitUs } = at[way];
  const time = transitUs === undefined ? {} : { time: timeWords(transitUs) };
  const resolving = seen === 0 ? resolutionWords(trace, point, way) : undefined;
  if (resolving !== undefined) return { state: 'seen', words: resolving };
  if (at.watch !== 'watched') return { state: isFarEnd(trace, point, way) ? 'lost' : 'beyond', words: at.watch };
  if (of === 0) return { state: 'beyond', words: '' };
  const words = `${seen}/${of}`;
  if (seen >= of) return { state: 'seen', words, ...time };
  if (seen === 0 && isFarEnd(trace, point, way)) return { state: 'lost', words };
  if (at.dropped > 0) return { state: 'blind', words, ...time };
  if (seen > 0 || overlooked > 0) return { state: 'part', words, ...time };
  return { state: isBehind(trace, point, way) ? 'beyond' : 'lost', words };
}

const isFarEnd = ({ stop }: Trace, point: number, way: TraceWay): boolean =>
  stop !== undefined && isAt(stop.before, point, way);

const isAt = (place: TracePlace, point: number, way: TraceWay): boolean =>
  place.at === 'point' && place.point === point && place.way === way;

/** Frames of address resolution, where it is what fails; named by what they are. */
function resolutionWords({ stop, points }: Trace, point: number, way: TraceWay): string | undefined {
  const at = points[point];
  if (stop === undefined || stop.packet === 'probe' || at === undefined) return undefined;
  if (at[way].asked > 0) return 'who-has';
  return at[way === 'there' ? 'back' : 'there'].told > 0 ? 'is-at' : undefined;
}

/** What the configuration orders at a point: one word, or one for each way where they differ. */
export function expectedWords({ expected = [] }: Trace, point: number): readonly string[] {
  const said = (way: TraceWay): string[] => {
    const verdicts = expected.filter((e) => e.point === point && (e.way ?? 'there') === way).map((e) => e.verdict);
    const worst = (['dropped', 'unknown', 'passes'] as const).find((v) => verdicts.includes(v));
    return worst === undefined ? [] : [worst];
  };
  return [...new Set([...said('there'), ...said('back')])];
}
