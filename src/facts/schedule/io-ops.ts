import { z } from 'zod';
import type { Evidence } from '../../engine/evidence.ts';
import { type FactResult, observed } from '../../engine/fact.ts';
import type { Store } from '../io.ts';

/** What nova-compute counts as I/O: whatever is being built, and these tasks (nova/compute/stats.py io_workload). */
const building = [{ vm_state: 'building' }];
const tasks = [
  'resize_migrating',
  'rebuilding',
  'resize_prep',
  'image_snapshot',
  'image_backup',
  'rescuing',
  'unshelving',
].map((task_state) => ({ task_state }));

const busySchema = z.looseObject({ id: z.string(), 'OS-EXT-SRV-ATTR:host': z.string().nullish() });

/**
 * I/O operations under way, by host. A hypervisor's current_workload is another number: it counts all tasks, one that powers off, too, and no
 * build whose task has not begun (calculate_workload). Where it is 0 everywhere nothing but builds is looked for.
 * @param hasTasks current_workload of any hypervisor is more than 0
 */
export async function ioOps(facts: Store, hasTasks: boolean): Promise<FactResult<ReadonlyMap<string, number>>> {
  const lists = await Promise.all(
    [...building, ...(hasTasks ? tasks : [])].map((query) =>
      facts.io.cloud.list({
        service: 'compute',
        path: '/servers/detail',
        query: { all_tenants: 'true', ...query },
        items: 'servers',
        schema: busySchema,
      }),
    ),
  );
  const hosts = new Map<string, number>();
  const evidence: Evidence[] = [];
  for (const list of lists) {
    if (!list.ok) return list;
    if (list.value.value.length > 0) evidence.push(list.value.evidence);
    for (const server of list.value.value) {
      const host = server['OS-EXT-SRV-ATTR:host'];
      if (host) hosts.set(host, (hosts.get(host) ?? 0) + 1);
    }
  }
  return observed(hosts, ...evidence);
}
