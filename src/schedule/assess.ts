import type { ScheduleColumn, ScheduleSaid } from '../engine/schedule.ts';
import { takenBack } from './admits.ts';
import { asksFallback, placementQuery } from './ask.ts';
import type { HostFacts } from './estate.ts';
import { type Judgement, judged, passes, unknown } from './judgement.ts';
import type { PlacementAnswers } from './query.ts';
import type { Scene } from './scene.ts';
import { type Step, stepsOf } from './steps.ts';

/** One host against every step. */
export interface Assessed {
  readonly host: HostFacts;
  /** One for each column. */
  readonly judgements: readonly Judgement[];
  /** The first that rejects. */
  readonly stoppedAt: number | undefined;
  readonly fits: 'yes' | 'no' | 'unknown';
}

export interface Assessment {
  readonly columns: readonly ScheduleColumn[];
  readonly hosts: readonly Assessed[];
  /** Where what Nova or Placement said and what was computed do not agree. */
  readonly notes: readonly string[];
}

export function assessedBy(host: HostFacts, judgements: readonly Judgement[]): Assessed {
  const at = judgements.findIndex((j) => j.state === 'rejects');
  const isOpen = judgements.some((j) => j.state === 'unknown');
  return { host, judgements, stoppedAt: at < 0 ? undefined : at, fits: at >= 0 ? 'no' : isOpen ? 'unknown' : 'yes' };
}

/** Every host against every step, corrected by what Placement answered and Nova's log said. */
export function assess(scene: Scene, said: readonly ScheduleSaid[], answers?: PlacementAnswers): Assessment {
  const steps = stepsOf(scene, said);
  const computed = scene.estate.hosts.map((host) =>
    assessedBy(
      host,
      steps.map((step) => step.judge(host)),
    ),
  );
  const answered = answers === undefined ? { hosts: computed, notes: [] } : byPlacement(computed, answers, scene);
  const logged = byLog(answered.hosts, steps, said);
  return {
    columns: steps.map((s) => s.column),
    hosts: logged.hosts,
    notes: [...answered.notes, ...logged.notes],
  };
}

const names = (hosts: readonly Assessed[]): string => {
  const all = hosts.map((h) => h.host.host).sort();
  return all.length <= 3 ? all.join(', ') : `${all.slice(0, 3).join(', ')} and ${all.length - 3} more`;
};

const withJudgement = (one: Assessed, at: number, judgement: Judgement): Assessed =>
  assessedBy(
    one.host,
    one.judgements.map((j, i) => (i === at ? judgement : j)),
  );

/**
 * Placement's own answer is the truth of its column; not where Nova asks a second time for pinned CPUs, which the answer leaves out.
 */
function byPlacement(
  hosts: readonly Assessed[],
  { whole, without }: PlacementAnswers,
  scene: Scene,
): { readonly hosts: readonly Assessed[]; readonly notes: readonly string[] } {
  if (asksFallback(scene.wish, scene.estate)) return { hosts, notes: [] };
  const { constraints } = placementQuery(scene.wish, scene.estate);
  const missed: Assessed[] = [];
  const given: Assessed[] = [];
  const corrected = hosts.map((one) => {
    const root = one.host.provider;
    const judgement = one.judgements[0];
    if (root === undefined || judgement === undefined) return one;
    if (whole.has(root) && judgement.state !== 'passes') {
      // A host that was not named is no candidate for Nova, whatever Placement has.
      if (judgement.state === 'rejects' && judgement.obstacles.every((o) => o.of === 'host')) return one;
      if (judgement.state === 'rejects') given.push(one);
      return withJudgement(one, 0, passes);
    }
    if (!whole.has(root) && judgement.state !== 'rejects') {
      missed.push(one);
      return withJudgement(
        one,
        0,
        judged([
          {
            kind: 'answer',
            of: 'resource',
            because: 'not a candidate',
            wanted: 'a candidate of Placement',
            has: 'Placement does not give it, and its inventory, traits and aggregates do not show why',
            // What Placement gives it without shows what it is about.
            ways: constraints.flatMap((c, i) => (without[i]?.has(root) === true ? takenBack(c.origin) : [])),
          },
        ]),
      );
    }
    return one;
  });
  const notes = [
    ...(missed.length === 0
      ? []
      : [`Placement does not give ${names(missed)}, although all that was read of it fits.`]),
    ...(given.length === 0
      ? []
      : [`Placement gives ${names(given)}, although what was read of it does not fit: it has changed in between.`]),
  ];
  return { hosts: corrected, notes };
}

/** What the scheduler's log says of this request, against what is so now. */
function byLog(
  hosts: readonly Assessed[],
  steps: readonly Step[],
  said: readonly ScheduleSaid[],
): { readonly hosts: readonly Assessed[]; readonly notes: readonly string[] } {
  const notes: string[] = [];
  let current = hosts;
  const reaching = (at: number): readonly Assessed[] =>
    current.filter((h) => h.stoppedAt === undefined || h.stoppedAt >= at);
  if (said.some((s) => s.kind === 'no-candidates')) {
    const now = current.filter((h) => h.judgements[0]?.state === 'passes');
    if (now.length > 0) notes.push(`The log says that Placement gave no candidate; now it gives ${names(now)}.`);
  }
  for (const { filters } of said.filter((s) => s.kind === 'filtered'))
    for (const { name, start, end } of filters.filter((f) => f.end === 0)) {
      const at = steps.findIndex((s) => s.column.kind === 'filter' && s.column.id === name);
      const step = steps[at];
      const words = `${name} dropped ${start - end} of ${start}`;
      if (step === undefined) {
        notes.push(`The log says ${words}, and it is not among the filters that are enabled now.`);
        continue;
      }
      const now = reaching(at).filter((h) => h.judgements[at]?.state !== 'rejects');
      if (now.length === 0) continue;
      const passing = now.filter((h) => h.judgements[at]?.state === 'passes');
      if (step.isWhole) {
        const rest = passing.some((h) => h.fits === 'yes') ? ': it would fit again now' : '';
        notes.push(`The log says ${words}; now ${names(now)} pass${now.length === 1 ? 'es' : ''} it${rest}.`);
        continue;
      }
      notes.push(`The log says ${words}, which cannot be computed from outside.`);
      const isAll = now.length <= start;
      current = current.map((one) => {
        const judgement = one.judgements[at];
        if (!now.includes(one) || judgement === undefined) return one;
        return withJudgement(
          one,
          at,
          isAll
            ? saysLog(judgement, words)
            : unknown(`the log: ${words}`, 'the same request again, and nova-scheduler at DEBUG'),
        );
      });
    }
  return { hosts: current, notes };
}

/** What cannot be computed from outside, and what Nova's own filter said of as many hosts as there are. */
const saysLog = (judgement: Judgement, words: string): Judgement =>
  judged([
    {
      kind: 'log',
      of: 'log',
      because: `the log: ${words}`,
      wanted: judgement.state === 'unknown' ? judgement.because : 'what the API does not tell of this request',
      has: words,
      ways: judgement.state === 'unknown' ? (judgement.ways ?? []) : [],
    },
  ]);
