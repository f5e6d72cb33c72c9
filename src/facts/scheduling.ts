import { z } from 'zod';
import type { Evidence } from '../engine/evidence.ts';
import { observed } from '../engine/fact.ts';
import type { FactFailure } from '../engine/failure.ts';
import { err } from '../engine/result.ts';
import { computeServices } from './cloud-api.ts';
import { hostLayout } from './host.ts';
import { actions } from './instance-api.ts';
import { run, showing, source } from './io.ts';
import type { Server } from './schemas/compute.ts';
import { type InstanceSubject, theCloud } from './subject.ts';

/** Nova's words where it found no host (nova/exception.py NoValidHost; the conductor's for a full cloud). */
export const foundNoHost = (server: Server): boolean =>
  server.status === 'ERROR' &&
  /No valid host was found|Got no allocation candidates|anti-affinity|MaxRetriesExceeded/i.test(
    server.fault?.message ?? '',
  );

const notAsked = err<FactFailure>({ kind: 'unsupported', because: 'it has a host' });

/** How many hosts went into a filter, and how many came out (nova/filters.py). */
export interface FilterResult {
  readonly name: string;
  readonly start: number;
  readonly end: number;
}

export interface SchedulerWords {
  readonly host: string;
  readonly filters: readonly FilterResult[];
  /** Placement gave no candidate: the filters never ran. */
  readonly noCandidates: boolean;
  readonly evidence: Evidence;
}

/**
 * Lines of a log that hold one of the first two words (the instance, its request). Constant; the words and the files are
 * positional arguments, never text of the script. Reading is bounded from the end of each file.
 */
const linesAbout =
  'a=$1; b=$2; shift 2; for f in "$@"; do [ -r "$f" ] || continue; tail -c 16777216 -- "$f" | grep -aF -e "$a" -e "$b" | tail -n 100; done';

/** `ComputeFilter: (start: 2, end: 0)`, as the scheduler sums up a request that no host passed. */
export function filterResults(text: string): readonly FilterResult[] {
  return [...text.matchAll(/(\w+): \(start: (\d+), end: (\d+)\)/g)].map((m) => ({
    name: m[1] ?? '',
    start: Number(m[2]),
    end: Number(m[3]),
  }));
}

/** What the schedulers logged about an instance that got no host. */
export const schedulerWords = source<InstanceSubject, readonly SchedulerWords[]>(
  'instance.scheduler-words',
  (s) => s.id,
  async (subject, facts) => {
    if (!foundNoHost(subject.server.value)) return notAsked;
    const [services, asked] = await Promise.all([facts.get(computeServices, theCloud), facts.get(actions, subject)]);
    if (!services.ok) return services;
    const requests = asked.ok ? asked.value.value.map((a) => a.request_id) : [];
    const hosts = new Set(services.value.value.filter((s) => s.binary === 'nova-scheduler').map((s) => s.host));
    const found: SchedulerWords[] = [];
    let failure: FactFailure | undefined;
    await Promise.all(
      [...hosts].map(async (host) => {
        const layout = await facts.get(hostLayout, host);
        if (!layout.ok) {
          failure ??= layout.error;
          return;
        }
        const place = layout.value.value.logPlace('nova-scheduler');
        const words = [subject.id, requests.at(-1) ?? subject.id] as const;
        const ran = await run(facts, host, {
          argv:
            place.kind === 'files'
              ? ['sh', '-c', linesAbout, 'sh', ...words, ...place.paths]
              : ['journalctl', '--no-pager', '-o', 'short-iso', '-n', '2000', '-u', place.unit],
          impact: 'read',
          become: true,
        });
        if (!ran.ok) {
          failure ??= ran.error;
          return;
        }
        const lines = ran.value.result.stdout.split('\n').filter((line) => words.some((word) => line.includes(word)));
        const sums = lines.filter((l) => l.includes('Filtering removed all hosts'));
        const none = lines.filter((l) => l.includes('Got no allocation candidates'));
        const shown = [...sums, ...none].slice(-2);
        if (shown.length === 0) return;
        found.push({
          host,
          filters: filterResults(sums.at(-1) ?? ''),
          noCandidates: sums.length === 0,
          evidence: showing(ran.value.evidence, shown),
        });
      }),
    );
    if (found.length === 0 && failure !== undefined) return err(failure);
    found.sort((a, b) => (a.host < b.host ? -1 : 1));
    return observed(found, ...found.map((f) => f.evidence));
  },
);

const inventories = z.looseObject({
  inventories: z.record(
    z.string(),
    z.looseObject({
      total: z.number(),
      reserved: z.number().optional(),
      allocation_ratio: z.number().optional(),
      max_unit: z.number().optional(),
    }),
  ),
});
const usages = z.looseObject({ usages: z.record(z.string(), z.number()) });
const allocations = z.looseObject({
  allocations: z.record(z.string(), z.looseObject({ resources: z.record(z.string(), z.number()) })),
});
const provider = z.looseObject({ uuid: z.string(), name: z.string() });

/** One resource class of one provider, as Placement counts it. */
export interface Room {
  readonly resource: string;
  /** (total - reserved) * allocation_ratio, and the most that one consumer may have. */
  readonly capacity: number;
  readonly largest: number;
  readonly used: number;
}

export interface ProviderRoom {
  readonly id: string;
  readonly name: string;
  readonly rooms: readonly Room[];
  /** Consumer → what it holds here. */
  readonly holders: ReadonlyMap<string, Readonly<Record<string, number>>>;
}

/** Placement's view of every provider, for an instance that got no host. Microversion 1.14: every provider has a name and a root. */
export const placementRoom = source<InstanceSubject, readonly ProviderRoom[]>(
  'instance.placement-room',
  (s) => s.id,
  async (subject, facts) => {
    if (!foundNoHost(subject.server.value)) return notAsked;
    const ask = { service: 'placement', microversion: '1.14' } as const;
    const listed = await facts.io.cloud.get({
      ...ask,
      path: '/resource_providers',
      schema: z.looseObject({ resource_providers: z.array(provider) }),
    });
    if (!listed.ok) return listed;
    const rooms: ProviderRoom[] = [];
    const evidence: Evidence[] = [listed.value.evidence];
    // A cloud of a thousand hosts is not asked host by host: the first hundred show what the trouble is.
    for (const p of listed.value.value.resource_providers.slice(0, 100)) {
      const path = `/resource_providers/${encodeURIComponent(p.uuid)}`;
      const [have, use, hold] = await Promise.all([
        facts.io.cloud.get({ ...ask, path: `${path}/inventories`, schema: inventories }),
        facts.io.cloud.get({ ...ask, path: `${path}/usages`, schema: usages }),
        facts.io.cloud.get({ ...ask, path: `${path}/allocations`, schema: allocations }),
      ]);
      if (!have.ok) return have;
      if (!use.ok) return use;
      if (!hold.ok) return hold;
      const used = use.value.value.usages;
      rooms.push({
        id: p.uuid,
        name: p.name,
        rooms: Object.entries(have.value.value.inventories).map(([resource, i]) => ({
          resource,
          capacity: Math.floor((i.total - (i.reserved ?? 0)) * (i.allocation_ratio ?? 1)),
          largest: i.max_unit ?? i.total,
          used: used[resource] ?? 0,
        })),
        holders: new Map(Object.entries(hold.value.value.allocations).map(([id, a]) => [id, a.resources])),
      });
      if (evidence.length < 4) evidence.push(use.value.evidence);
    }
    return observed(rooms, ...evidence);
  },
);

/** Consumers of Placement that are neither instances nor migrations of the cloud. */
export const strayConsumers = source<InstanceSubject, readonly string[]>(
  'instance.stray-consumers',
  (s) => s.id,
  async (subject, facts) => {
    const room = await facts.get(placementRoom, subject);
    if (!room.ok) return room;
    const consumers = [...new Set(room.value.value.flatMap((p) => [...p.holders.keys()]))].slice(0, 500);
    const [servers, migrations] = await Promise.all([
      facts.io.cloud.list({
        service: 'compute',
        path: '/servers',
        query: { all_tenants: '1' },
        items: 'servers',
        schema: z.looseObject({ id: z.string() }),
        limit: 1000,
      }),
      facts.io.cloud.list({
        service: 'compute',
        path: '/os-migrations',
        items: 'migrations',
        schema: z.looseObject({ uuid: z.string().optional() }),
        microversion: '2.59',
      }),
    ]);
    if (!servers.ok) return servers;
    if (!migrations.ok) return migrations;
    const known = new Set([
      ...servers.value.value.map((s) => s.id),
      ...migrations.value.value.flatMap((m) => m.uuid ?? []),
    ]);
    const strays: string[] = [];
    for (const id of consumers.filter((c) => !known.has(c))) {
      const itself = await facts.io.cloud.get({
        service: 'compute',
        path: `/servers/${encodeURIComponent(id)}`,
        schema: z.looseObject({}),
      });
      if (!itself.ok && itself.error.kind === 'not-found') strays.push(id);
    }
    return observed(strays, ...room.value.evidence.slice(0, 1), servers.value.evidence);
  },
);

/** What the flavor asks Placement for (nova/scheduler/utils.py ResourceRequest); `resources:` of its extra specs win. */
export function wantedOf(server: Server): ReadonlyMap<string, number> {
  const f = server.flavor;
  const wanted = new Map<string, number>();
  if (f?.vcpus !== undefined) wanted.set('VCPU', f.vcpus);
  if (f?.ram !== undefined) wanted.set('MEMORY_MB', f.ram);
  if (f?.disk !== undefined) wanted.set('DISK_GB', f.disk + (f.ephemeral ?? 0) + Math.ceil((f.swap ?? 0) / 1024));
  for (const [key, value] of Object.entries(f?.extra_specs ?? {})) {
    const resource = /^resources:(\w+)$/.exec(key)?.[1];
    if (resource !== undefined) wanted.set(resource, Number(value));
  }
  for (const [resource, amount] of wanted) if (!(amount > 0)) wanted.delete(resource);
  return wanted;
}
