import { z } from 'zod';
import type { Evidence } from '../../engine/evidence.ts';
import { type FactResult, observed } from '../../engine/fact.ts';
import type { HostFacts, Provider, StrayAllocation } from '../../schedule/estate.ts';
import type { Store } from '../io.ts';
import { closely } from './providers.ts';

const allocationsSchema = z.looseObject({
  allocations: z.record(z.string(), z.looseObject({ resources: z.record(z.string(), z.number()) })),
});
const migrationSchema = z.looseObject({
  uuid: z.string().nullish(),
  instance_uuid: z.string().nullish(),
  status: z.string(),
});
const serverSchema = z.looseObject({
  server: z.looseObject({
    status: z.string(),
    'OS-EXT-SRV-ATTR:host': z.string().nullish(),
    'OS-EXT-STS:task_state': z.string().nullish(),
  }),
});

/** Statuses in which a migration holds nothing any more (nova/objects/migration.py, nova/db/main/api.py). */
const settled = /^(confirmed|reverted|error|failed|completed|cancelled|done)$/;

type Held = Map<string, Map<string, Readonly<Record<string, number>>>>;

/**
 * Allocations that nothing of the cloud stands for: their consumer is no instance and no migration, or is an instance that is on another
 * host and is not on the move. Not looked for where the instances of the hosts are not known.
 * @param providers those that are looked at
 */
export async function straysOf(
  facts: Store,
  hosts: readonly HostFacts[],
  providers: readonly Provider[],
): Promise<FactResult<readonly StrayAllocation[]>> {
  if (hosts.every((h) => h.instances === undefined)) return observed([]);
  const home = new Map<string, string>();
  for (const h of hosts) for (const id of h.instances ?? []) home.set(id, h.host);
  const hostOfRoot = new Map(hosts.flatMap((h) => (h.provider === undefined ? [] : [[h.provider, h.host] as const])));
  const evidence: Evidence[] = [];
  /** Consumer → provider → what it holds, of those that are not at home there. */
  const strange: Held = new Map();
  const answers = await Promise.all(
    providers
      .filter((p) => [...p.inventories.values()].some((i) => i.used > 0))
      .map(async (p) => ({
        p,
        answer: await facts.io.cloud.get({
          service: 'placement',
          microversion: '1.36',
          path: `/resource_providers/${encodeURIComponent(p.uuid)}/allocations`,
          schema: allocationsSchema,
        }),
      })),
  );
  for (const { p, answer } of answers) {
    if (!answer.ok) return answer;
    const here = hostOfRoot.get(p.root);
    for (const [consumer, { resources }] of Object.entries(answer.value.value.allocations)) {
      const lives = home.get(consumer);
      // A provider of no host (shared storage) serves all.
      if (lives !== undefined && (here === undefined || lives === here)) continue;
      if (!strange.has(consumer) && evidence.length < 3) evidence.push(answer.value.evidence);
      const of = strange.get(consumer) ?? new Map();
      strange.set(consumer, of.set(p.uuid, resources));
    }
  }
  if (strange.size === 0) return observed([]);
  const migrations = await facts.io.cloud.list({
    service: 'compute',
    path: '/os-migrations',
    items: 'migrations',
    schema: migrationSchema,
    microversion: '2.59',
  });
  if (!migrations.ok) return migrations;
  const moving = new Set(
    migrations.value.value
      .filter((m) => !settled.test(m.status))
      .flatMap((m) => [m.uuid ?? [], m.instance_uuid ?? []].flat()),
  );
  const found = await Promise.all(
    [...strange].slice(0, closely).map(async ([consumer, held]): Promise<StrayAllocation | undefined> => {
      if (moving.has(consumer)) return undefined;
      const itself = await facts.io.cloud.get({
        service: 'compute',
        path: `/servers/${encodeURIComponent(consumer)}`,
        schema: serverSchema,
        microversion: '2.79',
      });
      if (!itself.ok) return itself.error.kind === 'not-found' ? { consumer, why: 'gone', held } : undefined;
      const { server } = itself.value.value;
      const host = server['OS-EXT-SRV-ATTR:host'];
      // While it is built, resized or moved, what it holds is ahead of where it is.
      if (!host || server['OS-EXT-STS:task_state'] || server.status.includes('RESIZE')) return undefined;
      const wrong = [...held].filter(([uuid]) => {
        const root = providers.find((p) => p.uuid === uuid)?.root ?? '';
        return hostOfRoot.has(root) && hostOfRoot.get(root) !== host;
      });
      return wrong.length === 0 ? undefined : { consumer, why: 'elsewhere', held: new Map(wrong) };
    }),
  );
  const strays = found.filter((stray) => stray !== undefined);
  strays.sort((a, b) => (a.consumer < b.consumer ? -1 : 1));
  return observed(strays, ...(strays.length === 0 ? [] : evidence));
}
