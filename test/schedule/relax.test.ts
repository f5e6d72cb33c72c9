import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ScheduleChange } from '../../src/engine/schedule.ts';
import { applied } from '../../src/schedule/apply.ts';
import { assess } from '../../src/schedule/assess.ts';
import type { Aggregate, Estate } from '../../src/schedule/estate.ts';
import { explain } from '../../src/schedule/explain.ts';
import { sceneOf } from '../../src/schedule/scene.ts';
import type { Wish } from '../../src/schedule/wish.ts';
import { estateOf, flavor, host, scheduler, wishOf } from './cloud.ts';

const filters = [
  'ComputeFilter',
  'AvailabilityZoneFilter',
  'AggregateInstanceExtraSpecsFilter',
  'AggregateMultiTenancyIsolation',
  'ComputeCapabilitiesFilter',
  'ServerGroupAntiAffinityFilter',
  'ServerGroupAffinityFilter',
  'SameHostFilter',
  'AggregateNumInstancesFilter',
];

const aggregate = (name: string, hosts: readonly string[], metadata: Record<string, string>): Aggregate => ({
  uuid: `agg-${name}`,
  name,
  hosts,
  metadata,
});

const hostCase = (name: string) =>
  fc
    .record({
      memoryUsed: fc.integer({ min: 0, max: 15_000 }),
      diskUsed: fc.integer({ min: 0, max: 99 }),
      disabled: fc.boolean(),
      down: fc.boolean(),
      traits: fc.subarray(['CUSTOM_A', 'CUSTOM_B']),
      unmapped: fc.integer({ min: 0, max: 9 }).map((n) => n === 0),
      mapped: fc.boolean(),
      instances: fc.subarray(['i-1', 'i-2']),
    })
    .map((h) =>
      host(name, {
        memory: { used: h.memoryUsed },
        disk: { used: h.diskUsed },
        traits: [...h.traits, ...(h.disabled ? ['COMPUTE_STATUS_DISABLED'] : [])],
        facts: {
          service: { state: h.down ? 'down' : 'up', status: h.disabled ? 'disabled' : 'enabled', forcedDown: false },
          instances: h.instances,
          ...(h.unmapped ? { cell: { state: 'unmapped' } as const } : {}),
        },
      }),
    );

/** Clouds of one to three hosts, with aggregates that Placement knows as Nova does, and strays that hold some of the memory. */
const clouds: fc.Arbitrary<Estate> = fc
  .record({
    hosts: fc
      .integer({ min: 1, max: 3 })
      .chain((n) => fc.tuple(...Array.from({ length: n }, (_, i) => hostCase(`cmp${i + 1}`)))),
    zone: fc.subarray(['cmp1', 'cmp2', 'cmp3']),
    ssd: fc.subarray(['cmp1', 'cmp2', 'cmp3']),
    tenant: fc.subarray(['cmp1', 'cmp2', 'cmp3'], { maxLength: 1 }),
    stray: fc.option(fc.integer({ min: 1000, max: 9000 })),
    few: fc.subarray(['cmp1', 'cmp2', 'cmp3'], { maxLength: 1 }),
  })
  .map(({ hosts, zone, ssd, tenant, stray, few }) => {
    const there = (names: readonly string[]): string[] => names.filter((n) => hosts.some((h) => h.facts.host === n));
    const aggregates = [
      aggregate('az1', there(zone), { availability_zone: 'az1' }),
      aggregate('ssd', there(ssd), { ssd: 'true' }),
      aggregate('tenant', there(tenant), { filter_tenant_id: 'other' }),
      aggregate('few', there(few), { max_instances_per_host: '1' }),
    ];
    const estate = estateOf(hosts, {
      aggregates,
      scheduler: scheduler({ enabledFilters: filters }),
      strays:
        stray === null ? [] : [{ consumer: 'gone', why: 'gone', held: new Map([['rp-cmp1', { MEMORY_MB: stray }]]) }],
    });
    return {
      ...estate,
      providers: estate.providers.map((p) => ({
        ...p,
        aggregates: new Set(aggregates.filter((a) => a.hosts.includes(p.name)).map((a) => a.uuid)),
        inventories: new Map(
          [...p.inventories].map(([rc, i]) => [
            rc,
            rc === 'MEMORY_MB' && p.name === 'cmp1' && stray !== null ? { ...i, used: i.used + stray } : i,
          ]),
        ),
      })),
    };
  });

const wishes: fc.Arbitrary<Wish> = fc
  .record({
    ramMb: fc.integer({ min: 512, max: 20_000 }),
    diskGb: fc.integer({ min: 1, max: 120 }),
    zone: fc.option(fc.constantFrom('az1', 'nowhere'), { freq: 2 }),
    specs: fc.subarray([
      ['trait:CUSTOM_A', 'required'],
      ['trait:CUSTOM_B', 'forbidden'],
      ['aggregate_instance_extra_specs:ssd', 'true'],
      ['capabilities:hypervisor_type', 's== xen'],
      ['resources:CUSTOM_FPGA', '1'],
    ] as const),
    destination: fc.option(fc.constantFrom('cmp1', 'cmp2', 'nosuch'), { freq: 4 }),
    force: fc.boolean(),
    group: fc.option(fc.constantFrom('affinity' as const, 'anti-affinity' as const), { freq: 3 }),
    members: fc.array(fc.constantFrom('cmp1', 'cmp2', 'cmp3'), { maxLength: 3 }),
    same: fc.option(fc.constantFrom('i-1', 'i-2'), { freq: 5 }),
  })
  .map((w) =>
    wishOf({
      project: 'mine',
      flavor: flavor({ ramMb: w.ramMb, diskGb: w.diskGb, extraSpecs: Object.fromEntries(w.specs) }),
      ...(w.zone === null ? {} : { zone: w.zone }),
      ...(w.destination === null
        ? {}
        : { destination: { kind: w.force ? 'force' : 'requested', host: w.destination } as const }),
      ...(w.group === null
        ? {}
        : { group: { id: 'g', name: 'g', policy: w.group, maxPerHost: 1, memberHosts: w.members } }),
      ...(w.same === null ? {} : { hints: { same_host: [w.same] } }),
    }),
  );

const fits = (changes: readonly ScheduleChange[], wish: Wish, estate: Estate): boolean => {
  const now = applied(changes, wish, estate);
  return assess(sceneOf(now.wish, now.estate), []).hosts.some((h) => h.fits === 'yes');
};

const subsets = <T>(all: readonly T[], size: number): T[][] =>
  size === 0 ? [[]] : all.flatMap((one, i) => subsets(all.slice(i + 1), size - 1).map((rest) => [one, ...rest]));

/** Every change that could take some obstacle of some host away. */
function atoms(wish: Wish, estate: Estate): ScheduleChange[] {
  const { hosts } = assess(sceneOf(wish, estate), []);
  const all = hosts.flatMap((h) =>
    h.judgements.flatMap((j) => (j.state === 'rejects' ? j.obstacles.flatMap((o) => o.ways.flat()) : [])),
  );
  return [...new Map(all.map((c) => [JSON.stringify(c), c])).values()];
}

describe('relaxations', () => {
  it('give the hosts that they promise, and need every one of their changes', () => {
    fc.assert(
      fc.property(wishes, clouds, (wish, estate) => {
        const { verdict, relaxations } = explain(wish, estate, []);
        if (verdict === 'fits') expect(relaxations).toEqual([]);
        for (const { changes, hosts } of relaxations) {
          const now = applied(changes, wish, estate);
          const after = explain(now.wish, now.estate, []);
          const given = after.rows.filter((r) => r.fits === 'yes').flatMap((r) => r.hosts);
          expect(given).toEqual(expect.arrayContaining([...hosts]));
          for (const part of subsets(changes, changes.length - 1)) expect(fits(part, wish, estate)).toBe(false);
        }
      }),
      { numRuns: 200 },
    );
  }, 60_000);

  it('are as small as any set of changes that gives a host', () => {
    fc.assert(
      fc.property(wishes, clouds, (wish, estate) => {
        const { verdict, relaxations } = explain(wish, estate, []);
        if (verdict === 'fits') return;
        const all = atoms(wish, estate);
        const { destination: _, ...anywhere } = wish;
        const known = new Set(all.map((c) => JSON.stringify(c)));
        all.push(...atoms(anywhere, estate).filter((c) => !known.has(JSON.stringify(c))));
        const least = [1, 2].find((size) => subsets(all, size).some((changes) => fits(changes, wish, estate)));
        if (least !== undefined) expect(relaxations[0]?.changes.length).toBe(least);
        else if (relaxations[0] !== undefined) expect(relaxations[0].changes.length).toBe(3);
      }),
      { numRuns: 100 },
    );
  }, 60_000);

  it('name the largest amount that fits', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 15_000 }), { minLength: 1, maxLength: 5 }), (used) => {
        const estate = estateOf(used.map((u, i) => host(`cmp${i}`, { memory: { used: u } })));
        const wish = wishOf({ flavor: flavor({ ramMb: 20_000 }) });
        const [first] = explain(wish, estate, []).relaxations;
        const most = 16_384 - 512 - Math.min(...used);
        expect(first?.changes).toEqual([
          { kind: 'resource', on: 'request', resource: 'MEMORY_MB', asked: 20_000, atMost: most },
        ]);
        expect(first?.words).toBe(`memory ≤ ${most} MB`);
        expect(
          fits(
            [{ kind: 'resource', on: 'request', resource: 'MEMORY_MB', asked: 20_000, atMost: most + 1 }],
            wish,
            estate,
          ),
        ).toBe(false);
      }),
    );
  });

  it('offer either side of what can be mended on both', () => {
    const estate = estateOf([host('cmp1')]);
    const wish = wishOf({ flavor: flavor({ extraSpecs: { 'trait:CUSTOM_GPU': 'required' } }) });
    expect(explain(wish, estate, []).relaxations.map((r) => r.words)).toEqual([
      'without trait:CUSTOM_GPU=required',
      'cmp1 with trait CUSTOM_GPU',
    ]);
  });

  it('take a stray allocation away before the host is over-committed', () => {
    const estate = estateOf([host('cmp1', { memory: { used: 14_000 } })], {
      strays: [{ consumer: 'gone-1', why: 'gone', held: new Map([['rp-cmp1', { MEMORY_MB: 12_000 }]]) }],
    });
    const words = explain(wishOf({ flavor: flavor({ ramMb: 4000 }) }), estate, []).relaxations.map((r) => r.words);
    expect(words.slice(0, 2)).toEqual(['memory ≤ 1872 MB', 'without the stray allocation of gone-1']);
  });

  it('go on where one change brings another obstacle to light: a forced host skips filters that all others meet', () => {
    const estate = estateOf([
      host('cmp1', { facts: { service: { state: 'down', status: 'enabled', forcedDown: false } } }),
    ]);
    const { relaxations } = explain(wishOf({ destination: { kind: 'force', host: 'gone' } }), estate, []);
    expect(relaxations.map((r) => r.words)).toEqual(['without host gone and nova-compute on cmp1 up']);
  });

  it('say of what cannot be computed that it was not', () => {
    const estate = estateOf([host('cmp1')], {
      scheduler: scheduler({ enabledFilters: ['ComputeFilter', 'VendorFilter'] }),
    });
    const { verdict, relaxations } = explain(wishOf({ flavor: flavor({ ramMb: 20_000 }) }), estate, []);
    expect(verdict).toBe('no-host');
    expect(relaxations[0]?.words).toBe('memory ≤ 15872 MB (as far as can be told: not VendorFilter)');
  });

  it('are none where nothing that anybody could change would help', () => {
    const estate = estateOf([host('cmp1')], {
      scheduler: scheduler({ options: new Map([['scheduler.query_placement_for_image_type_support', 'true']]) }),
    });
    const image = { id: 'i', name: 'i', diskFormat: 'vhd', minRamMb: 0, minDiskGb: 0, properties: {} };
    const { relaxations } = explain(wishOf({ image }), estate, []);
    expect(relaxations.map((r) => r.words)).toEqual(['an image that is not vhd']);
  });
});
