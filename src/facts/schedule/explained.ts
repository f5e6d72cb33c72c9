import { z } from 'zod';
import { type FactResult, observed } from '../../engine/fact.ts';
import { ok } from '../../engine/result.ts';
import type { Relaxation, Schedule, ScheduleSaid } from '../../engine/schedule.ts';
import { applied } from '../../schedule/apply.ts';
import { asksFallback, placementQuery } from '../../schedule/ask.ts';
import type { Estate } from '../../schedule/estate.ts';
import { explain } from '../../schedule/explain.ts';
import type { PlacementAnswers, PlacementQuery } from '../../schedule/query.ts';
import { candidatesMicroversion, queryString } from '../../schedule/query-string.ts';
import type { Wish } from '../../schedule/wish.ts';
import { agents, computeServices } from '../cloud-api.ts';
import { type Store, source } from '../io.ts';
import { type CloudSubject, type InstanceSubject, theCloud } from '../subject.ts';
import { cellList, type InstanceCell, instanceCell } from './cells.ts';
import { lookedCloser } from './closer.ts';
import { estate } from './estate.ts';
import { closely } from './providers.ts';
import { schedulerSaid } from './said.ts';
import { schedulerSettings } from './settings.ts';
import { wishOfInstance, wishOfOptions } from './wish.ts';

/** As many candidates as Nova takes unless told otherwise (max_placement_results). */
const usually = 1000;

const candidatesSchema = z.object({
  allocation_requests: z.array(z.object({ allocations: z.record(z.string(), z.unknown()) })),
  provider_summaries: z.record(z.string(), z.object({ root_provider_uuid: z.string().nullish() })),
});

interface Candidates {
  readonly roots: ReadonlySet<string>;
  /** There may be more of them. */
  readonly cut: boolean;
}

const none: Candidates = { roots: new Set(), cut: false };

/** The roots of the trees that Placement offers. What it refuses with 400, a trait or class that nobody knows, gives Nova no candidate either. */
async function candidates(
  facts: Store,
  query: PlacementQuery,
  limit: number = usually,
): Promise<FactResult<Candidates>> {
  const text = queryString(query, limit);
  if (text === undefined) return observed(none);
  const asked: Record<string, string[]> = {};
  for (const [key, value] of new URLSearchParams(text)) asked[key] = [...(asked[key] ?? []), value];
  const answer = await facts.io.cloud.get({
    service: 'placement',
    path: '/allocation_candidates',
    query: asked,
    schema: candidatesSchema,
    microversion: candidatesMicroversion,
  });
  if (!answer.ok) {
    return answer.error.kind === 'api' && answer.error.status === 400 ? observed(none) : answer;
  }
  const { allocation_requests: requests, provider_summaries: summaries } = answer.value.value;
  const roots = requests
    .flatMap((r) => Object.keys(r.allocations))
    .map((id) => summaries[id]?.root_provider_uuid ?? id);
  const cut = query.unlimited !== true && requests.length >= limit;
  return observed({ roots: new Set(roots), cut }, answer.value.evidence);
}

/**
 * The whole question, then with one constraint left out at a time. Of a cloud so wide that Placement names only the first of its candidates
 * nothing is answered: all of them would be many megabytes, and are computed instead.
 */
async function answersOf(
  facts: Store,
  query: PlacementQuery,
  cloud: Estate,
): Promise<FactResult<PlacementAnswers | undefined>> {
  const whole = await candidates(facts, query);
  if (!whole.ok) return whole;
  if (whole.value.value.cut) return ok({ value: undefined, evidence: whole.value.evidence });
  const { roots } = whole.value.value;
  const wanting = cloud.hosts.some((h) => h.provider === undefined || !roots.has(h.provider));
  const ask = cloud.providers.length <= closely ? wanting : roots.size === 0;
  const { unlimited: _, ...bounded } = query;
  const without = await Promise.all(
    query.constraints.map(async (left) => {
      if (!ask) return undefined;
      const rest = { ...bounded, constraints: query.constraints.filter((c) => c !== left) };
      // Without a resource there is nothing to ask for.
      if (!rest.constraints.some((c) => c.kind === 'resource')) return undefined;
      const answer = await candidates(facts, rest);
      return answer.ok && !answer.value.value.cut ? answer.value.value.roots : undefined;
    }),
  );
  return ok({ value: { whole: roots, without }, evidence: whole.value.evidence });
}

/** Asks Placement once more for what is proposed, where the change is one of the request: what it does not confirm is not proposed. */
async function proven(
  facts: Store,
  relaxation: Relaxation,
  wish: Wish,
  cloud: Estate,
): Promise<Relaxation | undefined> {
  if (relaxation.changes.some((change) => change.on === 'cloud')) return relaxation;
  const then = applied(relaxation.changes, wish, cloud);
  const ways = asksFallback(then.wish, then.estate) ? (['pcpu', 'fallback'] as const) : (['pcpu'] as const);
  const answers = await Promise.all(
    ways.map((pinning) => candidates(facts, placementQuery(then.wish, then.estate, pinning))),
  );
  const given = answers.flatMap((answer) => (answer.ok ? [answer.value.value] : []));
  if (given.length < answers.length) return relaxation;
  // Nova asks the second way only where the first gives nobody.
  const { roots, cut } = given.find((g) => g.roots.size > 0) ?? none;
  const rootOf = new Map(cloud.hosts.map((h) => [h.host, h.provider]));
  const confirmed = relaxation.hosts.filter((host) => roots.has(rootOf.get(host) ?? ''));
  if (cut && confirmed.length < relaxation.hosts.length) return relaxation;
  return confirmed.length === 0 ? undefined : { ...relaxation, hosts: confirmed, proof: 'placement' };
}

/** A filter that lets every request without a PCI device pass has dropped hosts: it asked for one. */
const asksForDevice = (said: readonly ScheduleSaid[]): boolean =>
  said.some(({ filters }) => filters.some((f) => f.name === 'PciPassthroughFilter' && f.end < f.start));

async function explained(facts: Store, told: Wish, said: readonly ScheduleSaid[]): Promise<FactResult<Schedule>> {
  const cloud = await facts.get(estate, { wish: told });
  if (!cloud.ok) return cloud;
  const wish: Wish = asksForDevice(said) ? { ...told, deviceHidden: true } : told;
  const answers = await answersOf(facts, placementQuery(wish, cloud.value.value), cloud.value.value);
  const answered = answers.ok ? answers.value.value : undefined;
  // By what was computed alone: the log's word is for what cannot be seen at all.
  const first = explain(wish, cloud.value.value, [], answered);
  const closer = await lookedCloser(facts, wish, cloud.value.value, first);
  const known = closer?.estate ?? cloud.value.value;
  const schedule = closer === undefined && said.length === 0 ? first : explain(wish, known, said, answered);
  const relaxations = await Promise.all(schedule.relaxations.map((r) => proven(facts, r, wish, known)));
  return observed(
    { ...schedule, relaxations: relaxations.filter((r) => r !== undefined) },
    ...(answers.ok ? answers.value.evidence : []),
    ...(closer?.evidence ?? []),
    ...cloud.value.evidence,
  );
}

/** What the estate takes whoever asks is asked for while the wish is still being read. */
function ahead(facts: Store): void {
  for (const fact of [computeServices, agents, schedulerSettings, cellList])
    void facts.get<CloudSubject, unknown>(fact, theCloud);
}

/** What the cell of an instance says of its way there. */
const cellNotes = ({ cell, words }: InstanceCell): readonly string[] => [
  ...(cell?.name === 'cell0' ? ['It is in cell0: there Nova keeps instances that never got a host.'] : []),
  ...(words === undefined ? [] : [`nova-manage says: ${words}`]),
];

/** Why an instance got no host, or where its request would fit now if it has one. */
export const explainedInstance = source<InstanceSubject, Schedule>(
  'instance.schedule',
  (s) => s.id,
  async (subject, facts) => {
    ahead(facts);
    const locating = facts.get(instanceCell, subject);
    const [wish, said] = await Promise.all([facts.get(wishOfInstance, subject), facts.get(schedulerSaid, subject)]);
    if (!wish.ok) return wish;
    const schedule = await explained(facts, wish.value.value, said.ok ? said.value.value : []);
    if (!schedule.ok) return schedule;
    const located = await locating;
    const { value } = schedule.value;
    return observed(
      located.ok ? { ...value, notes: [...value.notes, ...cellNotes(located.value.value)] } : value,
      ...(located.ok ? located.value.evidence : []),
      ...(said.ok ? said.value.evidence : []),
      ...wish.value.evidence.slice(0, 1),
      ...schedule.value.evidence,
    );
  },
);

/** Where the request of the flags would fit. @throws UserError as `wishOfOptions` does */
export const explainedWish = source<CloudSubject, Schedule>(
  'schedule.explained',
  () => '',
  async (_, facts) => {
    if (facts.io.options.wish?.flavor !== undefined) ahead(facts);
    const wish = await facts.get(wishOfOptions, theCloud);
    if (!wish.ok) return wish;
    const schedule = await explained(facts, wish.value.value, []);
    return schedule.ok
      ? observed(schedule.value.value, ...schedule.value.evidence, ...wish.value.evidence.slice(0, 1))
      : schedule;
  },
);
