import { z } from 'zod';
import type { Evidence } from '../../engine/evidence.ts';
import { type FactResult, observed } from '../../engine/fact.ts';
import { ok } from '../../engine/result.ts';
import type { Aggregate, Inventory, Provider } from '../../schedule/estate.ts';
import type { Store } from '../io.ts';

/** Up to so many providers are each asked for what they have; of more, what the candidates' summaries tell must do. */
export const closely = 200;
/** 1.29: summaries hold whole trees, with parents. */
const ask = { service: 'placement', microversion: '1.36' } as const;

/** Of thousands of providers only what is read is kept: links and the like are dropped as they are parsed. */
const listedSchema = z.object({
  resource_providers: z.array(
    z.object({
      uuid: z.string(),
      name: z.string(),
      root_provider_uuid: z.string().nullish(),
      parent_provider_uuid: z.string().nullish(),
    }),
  ),
});
type Listed = z.infer<typeof listedSchema>['resource_providers'][number];

const summarySchema = (same: (traits: readonly string[]) => ReadonlySet<string>) =>
  z.object({
    provider_summaries: z.record(
      z.string(),
      z.object({
        resources: z.record(z.string(), z.object({ capacity: z.number(), used: z.number() })),
        traits: z.array(z.string()).transform(same).optional(),
      }),
    ),
  });
type Summary = z.infer<ReturnType<typeof summarySchema>>['provider_summaries'][string];

const inventoriesSchema = z.looseObject({
  inventories: z.record(
    z.string(),
    z.looseObject({
      total: z.number(),
      reserved: z.number().optional(),
      allocation_ratio: z.number().optional(),
      min_unit: z.number().optional(),
      max_unit: z.number().optional(),
      step_size: z.number().optional(),
    }),
  ),
});
const usagesSchema = z.looseObject({ usages: z.record(z.string(), z.number()) });
const traitsSchema = z.looseObject({ traits: z.array(z.string()) });
const aggregatesSchema = z.looseObject({ aggregates: z.array(z.string()) });

/** One object for equal sets: thousands of hosts have the same traits. */
function interned(): (values: readonly string[]) => ReadonlySet<string> {
  const known = new Map<string, ReadonlySet<string>>();
  return (values) => {
    const sorted = [...values].sort();
    const key = sorted.join(' ');
    const same = known.get(key) ?? new Set(sorted);
    known.set(key, same);
    return same;
  };
}

/**
 * Providers as the candidates' summaries tell them. Only those of trees with any of the class to spare are there: another class is
 * asked for when more are left out than can be asked one by one.
 */
async function summariesOf(
  facts: Store,
  listed: readonly Listed[],
  classes: readonly string[],
  same: (traits: readonly string[]) => ReadonlySet<string>,
): Promise<FactResult<ReadonlyMap<string, Summary>>> {
  const found = new Map<string, Summary>();
  const evidence: Evidence[] = [];
  for (const resource of classes) {
    if (found.size > 0 && listed.filter((p) => !found.has(p.uuid)).length <= closely) break;
    const answer = await facts.io.cloud.get({
      ...ask,
      path: '/allocation_candidates',
      query: { resources: `${resource}:1` },
      schema: summarySchema(same),
    });
    // A class that nobody has is refused with 400: the others tell.
    if (!answer.ok && answer.error.kind === 'api' && answer.error.status === 400) continue;
    if (!answer.ok) return answer;
    evidence.push(answer.value.evidence);
    for (const [uuid, summary] of Object.entries(answer.value.value.provider_summaries)) found.set(uuid, summary);
  }
  return ok({ value: found, evidence });
}

/** Of capacity alone: what a host has in all bounds what one consumer may have of it, for Nova sets max_unit so. */
const inventoryOfSummary = (capacity: number, used: number): Inventory => ({
  total: capacity,
  reserved: 0,
  allocationRatio: 1,
  minUnit: 1,
  maxUnit: capacity,
  stepSize: 1,
  used,
});

/** Every provider, with its inventories, what is used of them, traits and aggregates (https://docs.openstack.org/api-ref/placement/). */
export async function providersOf(
  facts: Store,
  aggregates: readonly Aggregate[],
  classes: readonly string[],
): Promise<FactResult<readonly Provider[]>> {
  const list = await facts.io.cloud.get({ ...ask, path: '/resource_providers', schema: listedSchema });
  if (!list.ok) return list;
  const listed = list.value.value.resource_providers;
  const same = interned();
  const summaries = await summariesOf(facts, listed, classes, same);
  if (!summaries.ok) return summaries;
  const evidence = [list.value.evidence, ...summaries.value.evidence];
  const summarised = summaries.value.value;
  const few = listed.length <= closely;

  const members = few ? undefined : await membersOf(facts, await ofSharing(facts, summarised, aggregates));
  if (members?.ok === false) return members;
  // What no summary tells of (full hosts, those without inventory) is asked one by one, too, as far as that goes.
  let left = closely;
  const asked = listed.map((p) => few || (!summarised.has(p.uuid) && left-- > 0));

  const found = await Promise.all(
    listed.map(async (p, index): Promise<FactResult<Provider>> => {
      const summary = summarised.get(p.uuid);
      const bare = {
        uuid: p.uuid,
        name: p.name,
        root: p.root_provider_uuid ?? p.uuid,
        ...(p.parent_provider_uuid == null ? {} : { parent: p.parent_provider_uuid }),
      };
      if (asked[index] !== true) {
        const inventories = Object.entries(summary?.resources ?? {}).map(
          ([resource, { capacity, used }]) => [resource, inventoryOfSummary(capacity, used)] as const,
        );
        return observed({
          ...bare,
          inventories: new Map(inventories),
          traits: summary?.traits ?? same([]),
          aggregates: same(members?.ok === true ? (members.value.value.get(p.uuid) ?? []) : []),
        });
      }
      const path = `/resource_providers/${encodeURIComponent(p.uuid)}`;
      const [have, use, traits, groups] = await Promise.all([
        facts.io.cloud.get({ ...ask, path: `${path}/inventories`, schema: inventoriesSchema }),
        summary === undefined
          ? facts.io.cloud.get({ ...ask, path: `${path}/usages`, schema: usagesSchema })
          : undefined,
        summary?.traits === undefined
          ? facts.io.cloud.get({ ...ask, path: `${path}/traits`, schema: traitsSchema })
          : undefined,
        facts.io.cloud.get({ ...ask, path: `${path}/aggregates`, schema: aggregatesSchema }),
      ]);
      if (!have.ok) return have;
      if (use?.ok === false) return use;
      if (traits?.ok === false) return traits;
      if (!groups.ok) return groups;
      const used = (resource: string): number =>
        summary?.resources[resource]?.used ?? use?.value.value.usages[resource] ?? 0;
      const inventories = Object.entries(have.value.value.inventories).map(([resource, i]): [string, Inventory] => [
        resource,
        {
          total: i.total,
          reserved: i.reserved ?? 0,
          allocationRatio: i.allocation_ratio ?? 1,
          minUnit: i.min_unit ?? 1,
          maxUnit: i.max_unit ?? i.total,
          stepSize: i.step_size ?? 1,
          used: used(resource),
        },
      ]);
      return observed(
        {
          ...bare,
          inventories: new Map(inventories),
          traits: summary?.traits ?? same(traits?.value.value.traits ?? []),
          aggregates: same(groups.value.value.aggregates),
        },
        have.value.evidence,
      );
    }),
  );
  const providers: Provider[] = [];
  for (const fact of found) {
    // One that was deleted since it was listed is gone.
    if (!fact.ok && fact.error.kind === 'not-found') continue;
    if (!fact.ok) return fact;
    providers.push(fact.value.value);
    if (evidence.length < 8) evidence.push(...fact.value.evidence);
  }
  providers.sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : a.uuid < b.uuid ? -1 : 1));
  return ok({ value: providers, evidence });
}

/** Aggregates of Nova, and those of providers that share, which Nova need not know; a handful of storages in any cloud. */
async function ofSharing(
  facts: Store,
  summarised: ReadonlyMap<string, Summary>,
  aggregates: readonly Aggregate[],
): Promise<readonly string[]> {
  const sharing = [...summarised].filter(([, { traits }]) => traits?.has('MISC_SHARES_VIA_AGGREGATE') === true);
  const answers = await Promise.all(
    sharing
      .slice(0, closely)
      .map(([uuid]) =>
        facts.io.cloud.get({ ...ask, path: `/resource_providers/${uuid}/aggregates`, schema: aggregatesSchema }),
      ),
  );
  const theirs = answers.flatMap((answer) => (answer.ok ? answer.value.value.aggregates : []));
  return [...new Set([...aggregates.map((a) => a.uuid), ...theirs])];
}

/** Provider → those of Placement's aggregates that it is in. */
async function membersOf(
  facts: Store,
  aggregates: readonly string[],
): Promise<FactResult<ReadonlyMap<string, readonly string[]>>> {
  const members = new Map<string, string[]>();
  const evidence: Evidence[] = [];
  const answers = await Promise.all(
    aggregates.map((aggregate) =>
      facts.io.cloud.get({
        ...ask,
        path: '/resource_providers',
        query: { member_of: aggregate },
        schema: listedSchema,
      }),
    ),
  );
  for (const [index, answer] of answers.entries()) {
    if (!answer.ok) return answer;
    if (index === 0) evidence.push(answer.value.evidence);
    const id = aggregates[index] ?? '';
    for (const p of answer.value.value.resource_providers) {
      const of = members.get(p.uuid);
      if (of === undefined) members.set(p.uuid, [id]);
      else of.push(id);
    }
  }
  return ok({ value: members, evidence });
}
