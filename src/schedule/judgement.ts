import type { HostVerdict, RejectedOver, ScheduleChange } from '../engine/schedule.ts';

/** One thing that keeps a request from a host, and each way that would take it away: changes that have to be made together. */
export interface Obstacle {
  /** The same for hosts that meet the same attribute of the request in the same way, whatever the numbers: `resource MEMORY_MB`. */
  readonly kind: string;
  readonly of: RejectedOver;
  /** What stands in a cell: `40000 > 9690 MB`. */
  readonly because: string;
  readonly wanted: string;
  readonly has: string;
  /** Where `because` compares amounts, so that many hosts can be told in one line. */
  readonly amount?: { readonly asked: number; readonly has: number; readonly unit: string };
  /** Most sensible first; none: nothing that could be said. */
  readonly ways: readonly (readonly [ScheduleChange, ...ScheduleChange[]])[];
}

/** What a step comes to on one host, with everything that it rejects the host for. */
export type Judgement =
  | { readonly state: 'passes'; readonly because?: string }
  | { readonly state: 'rejects'; readonly obstacles: readonly [Obstacle, ...Obstacle[]] }
  /** `ways`: what would take the question away, for when Nova's own log answers it with no. */
  | {
      readonly state: 'unknown';
      readonly because: string;
      readonly tells: string;
      readonly ways?: Obstacle['ways'];
    };

export const passes: Judgement = { state: 'passes' };

export const passing = (because: string): Judgement => ({ state: 'passes', because });

export const unknown = (because: string, tells: string, ways: Obstacle['ways'] = []): Judgement =>
  ways.length === 0 ? { state: 'unknown', because, tells } : { state: 'unknown', because, tells, ways };

/** Passes where there is no obstacle. */
export function judged(obstacles: readonly Obstacle[]): Judgement {
  const [first, ...more] = obstacles;
  return first === undefined ? passes : { state: 'rejects', obstacles: [first, ...more] };
}

/** What says most comes first: an amount that a host lacks before the zone that it is not in. */
const says: readonly RejectedOver[] = [
  'resource',
  'trait',
  'service',
  'extra-spec',
  'image',
  'device',
  'network',
  'unmapped',
  'cell',
  'build',
  'group',
  'aggregate',
  'zone',
  'hint',
  'host',
  'log',
];

/** The judgement in the words of a result. */
export function verdictOf(judgement: Judgement): HostVerdict {
  if (judgement.state === 'passes') return judgement;
  if (judgement.state === 'unknown') return { state: 'unknown', because: judgement.because, tells: judgement.tells };
  const { obstacles } = judgement;
  const gravest = obstacles.reduce((a, b) => (says.indexOf(b.of) < says.indexOf(a.of) ? b : a));
  return {
    state: 'rejects',
    of: gravest.of,
    because: obstacles.map((o) => o.because).join(', '),
    wanted: obstacles.map((o) => o.wanted).join(', '),
    has: obstacles.map((o) => o.has).join(', '),
  };
}
