import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { admits, type ProviderTree } from '../../src/schedule/admits.ts';
import { placementQuery } from '../../src/schedule/ask.ts';
import type { Provider } from '../../src/schedule/estate.ts';
import type { Constraint, PlacementQuery } from '../../src/schedule/query.ts';
import { queryString } from '../../src/schedule/query-string.ts';
import { estateOf, flavor, host, inventory, scheduler, wishOf } from './cloud.ts';

const origin = { from: 'flavor', attribute: 'ram' } as const;
const resource = (suffix: string, resourceClass: string, amount: number): Constraint => ({
  kind: 'resource',
  suffix,
  resourceClass,
  amount,
  origin: { from: 'extra-spec', key: `resources${suffix}:${resourceClass}`, value: String(amount) },
});
const trait = (suffix: string, name: string, wanted: 'required' | 'forbidden'): Constraint => ({
  kind: 'trait',
  suffix,
  trait: name,
  wanted,
  origin: { from: 'extra-spec', key: `trait${suffix}:${name}`, value: wanted },
});

const provider = (uuid: string, more: Partial<Provider> = {}): Provider => ({
  uuid,
  name: uuid,
  root: 'root',
  ...(uuid === 'root' ? {} : { parent: 'root' }),
  inventories: new Map(),
  traits: new Set(),
  aggregates: new Set(),
  ...more,
});

describe('the amount that Placement gives', () => {
  it('is (total - reserved) * ratio - used, within max_unit, in steps, and not less than min_unit', () => {
    fc.assert(
      fc.property(
        fc.record({
          total: fc.integer({ min: 1, max: 64 }),
          reserved: fc.integer({ min: 0, max: 16 }),
          ratio: fc.constantFrom(0.5, 1, 1.5, 16),
          used: fc.integer({ min: 0, max: 64 }),
          minUnit: fc.integer({ min: 1, max: 4 }),
          maxUnit: fc.integer({ min: 1, max: 64 }),
          stepSize: fc.integer({ min: 1, max: 4 }),
          amount: fc.integer({ min: 1, max: 80 }),
        }),
        ({ total, reserved, ratio, used, minUnit, maxUnit, stepSize, amount }) => {
          const root = provider('root', {
            inventories: new Map([
              ['X', inventory(total, { reserved, allocationRatio: ratio, used, minUnit, maxUnit, stepSize })],
            ]),
          });
          const asks = (n: number) => admits({ constraints: [resource('', 'X', n)] }, [root]).state;
          const isGiven =
            used + amount <= (total - reserved) * ratio &&
            amount >= minUnit &&
            amount <= maxUnit &&
            amount % stepSize === 0;
          expect(asks(amount)).toBe(isGiven ? 'passes' : 'rejects');
        },
      ),
    );
  });

  it('is told with what is wanted and what there is', () => {
    const root = provider('root', {
      inventories: new Map([['MEMORY_MB', inventory(16_384, { reserved: 512, allocationRatio: 1, used: 6182 })]]),
    });
    const query: PlacementQuery = { constraints: [{ ...resource('', 'MEMORY_MB', 40_000), origin } as Constraint] };
    expect(admits(query, [root])).toMatchObject({
      state: 'rejects',
      of: 'resource',
      because: '40000 > 9690 MB',
      wanted: '40000 MB memory',
      has: '9690 MB free (total 16384, reserved 512, ratio 1, used 6182)',
    });
  });
});

/** All ways to take each class of each group from a provider of the tree, tried one by one as Placement's documentation has them. */
function isGivenBy(query: PlacementQuery, tree: ProviderTree): boolean {
  const wants = query.constraints.flatMap((c) => (c.kind === 'resource' ? [c] : []));
  const choose = (at: number, chosen: readonly Provider[]): boolean => {
    const want = wants[at];
    if (want === undefined) return isValid(chosen);
    return tree.some((p) => choose(at + 1, [...chosen, p]));
  };
  const isValid = (chosen: readonly Provider[]): boolean => {
    const taken = new Map<string, number>();
    for (const [i, { resourceClass, amount }] of wants.entries()) {
      const p = chosen[i];
      const stock = p?.inventories.get(resourceClass);
      if (p === undefined || stock === undefined || amount > stock.maxUnit) return false;
      const key = `${p.uuid} ${resourceClass}`;
      taken.set(key, (taken.get(key) ?? 0) + amount);
      if (stock.used + (taken.get(key) ?? 0) > (stock.total - stock.reserved) * stock.allocationRatio) return false;
    }
    const suffixes = [...new Set(wants.map((w) => w.suffix))];
    const used = new Map(suffixes.map((s) => [s, chosen.filter((_, i) => wants[i]?.suffix === s)] as const));
    for (const [suffix, providers] of used) {
      if (suffix !== '' && new Set(providers).size > 1) return false;
      const traits = new Set(providers.flatMap((p) => [...p.traits]));
      for (const c of query.constraints)
        if (c.kind === 'trait' && c.suffix === suffix && traits.has(c.trait) !== (c.wanted === 'required'))
          return false;
    }
    if (query.groupPolicy !== 'isolate') return true;
    const firsts = [...used].flatMap(([suffix, [first]]) => (suffix === '' || first === undefined ? [] : [first]));
    return new Set(firsts).size === firsts.length;
  };
  return choose(0, []);
}

describe('a tree of providers', () => {
  it('is a candidate when any choice of its providers meets all groups', () => {
    const stock = fc.record({
      VCPU: fc.option(fc.integer({ min: 1, max: 4 })),
      VGPU: fc.option(fc.integer({ min: 1, max: 4 })),
    });
    const node = fc.record({ stock, traits: fc.subarray(['A', 'B']) });
    const group = (suffix: string) =>
      fc.record({
        amounts: fc
          .subarray(['VCPU', 'VGPU'], { minLength: 1 })
          .chain((classes) =>
            fc.tuple(...classes.map((c) => fc.integer({ min: 1, max: 4 }).map((n) => resource(suffix, c, n)))),
          ),
        traits: fc
          .subarray(['A', 'B'], { maxLength: 1 })
          .chain((names) =>
            fc.tuple(
              ...names.map((t) =>
                fc.constantFrom('required' as const, 'forbidden' as const).map((w) => trait(suffix, t, w)),
              ),
            ),
          ),
      });
    fc.assert(
      fc.property(
        fc.array(node, { minLength: 1, maxLength: 3 }),
        fc.tuple(group(''), fc.option(group('1')), fc.option(group('2'))),
        fc.constantFrom('none' as const, 'isolate' as const),
        (nodes, groups, groupPolicy) => {
          const all = nodes.map((n, i) =>
            provider(i === 0 ? 'root' : `child${i}`, {
              traits: new Set(n.traits),
              inventories: new Map(
                Object.entries(n.stock).flatMap(([rc, total]) =>
                  total === null ? [] : [[rc, inventory(total)] as const],
                ),
              ),
            }),
          );
          const [root, ...children] = all;
          if (root === undefined) return;
          const query: PlacementQuery = {
            constraints: groups.flatMap((g) => (g === null ? [] : [...g.amounts, ...g.traits])),
            groupPolicy,
          };
          const tree: ProviderTree = [root, ...children];
          expect(admits(query, tree).state).toBe(isGivenBy(query, tree) ? 'passes' : 'rejects');
        },
      ),
      { numRuns: 1000 },
    );
  });

  it('takes what it lacks from providers that share into it, when they too are in the aggregates that are asked for', () => {
    const classes = ['VCPU', 'DISK_GB'];
    const stocks = fc.record({
      VCPU: fc.option(fc.integer({ min: 1, max: 4 })),
      DISK_GB: fc.option(fc.integer({ min: 1, max: 4 })),
    });
    const node = fc.record({ stocks, traits: fc.subarray(['A', 'B']), aggregates: fc.subarray(['x', 'y']) });
    const made = (id: string, n: { stocks: object; traits: string[]; aggregates: string[] }, more: Partial<Provider>) =>
      provider(id, {
        traits: new Set(n.traits),
        aggregates: new Set(n.aggregates),
        inventories: new Map(
          Object.entries(n.stocks).flatMap(([rc, total]) => (total === null ? [] : [[rc, inventory(total)] as const])),
        ),
        ...more,
      });
    const wanted = fc.constantFrom('required' as const, 'forbidden' as const);
    fc.assert(
      fc.property(
        fc.array(node, { minLength: 1, maxLength: 2 }),
        fc.array(node, { minLength: 1, maxLength: 2 }),
        fc.tuple(fc.integer({ min: 0, max: 4 }), fc.integer({ min: 1, max: 4 })),
        fc.option(fc.tuple(fc.constantFrom('A', 'B'), wanted)),
        fc.option(fc.tuple(fc.subarray(['x', 'y'], { minLength: 1 }), wanted)),
        fc.boolean(),
        (own, others, amounts, named, member, isNamed) => {
          const [root, ...children] = own.map((n, i) => made(i === 0 ? 'root' : `child${i}`, n, {}));
          if (root === undefined) return;
          const tree: ProviderTree = [root, ...children];
          const shares = others
            .map((n, i) => {
              const { parent: _, ...top } = made(`share${i}`, n, { root: `share${i}` });
              return top;
            })
            // Placement's own: an aggregate that the provider and any of the tree's are in.
            .filter((s) => tree.some((p) => [...s.aggregates].some((a) => p.aggregates.has(a))));
          const constraints: Constraint[] = [
            ...classes.flatMap((rc, i) => ((amounts[i] ?? 0) > 0 ? [resource('', rc, amounts[i] ?? 0)] : [])),
            ...(named === null ? [] : [trait('', named[0], named[1])]),
            ...(member === null
              ? []
              : [{ kind: 'member-of', suffix: '', aggregates: member[0], wanted: member[1], origin } as const]),
            ...(isNamed ? [{ kind: 'in-tree', suffix: '', provider: 'root', origin } as const] : []),
          ];
          // Every choice of one provider for each class, as get_trees_matching_all and _check_traits_for_alloc_request have them.
          const isIn = (p: Provider): boolean => member?.[0].some((a) => p.aggregates.has(a)) === true;
          const able = [...tree, ...(isNamed ? [] : shares)].filter((p) => {
            if (member?.[1] === 'forbidden') return !isIn(p) && !isIn(root);
            if (member?.[1] === 'required') return p.root === 'root' ? isIn(p) || isIn(root) : isIn(p);
            return true;
          });
          const wants = constraints.flatMap((c) => (c.kind === 'resource' ? [c] : []));
          const choose = (at: number, chosen: readonly Provider[]): boolean => {
            const want = wants[at];
            if (want === undefined) {
              if (named === null) return true;
              const traits = chosen.flatMap((p) => [...p.traits]);
              return traits.includes(named[0]) === (named[1] === 'required');
            }
            return able.some(
              (p) =>
                (p.inventories.get(want.resourceClass)?.total ?? 0) >= want.amount && choose(at + 1, [...chosen, p]),
            );
          };
          expect(admits({ constraints }, tree, shares).state).toBe(choose(0, []) ? 'passes' : 'rejects');
        },
      ),
      { numRuns: 3000 },
    );
  });

  it('has to have the traits of root_required at its root, whoever gives the resources', () => {
    const tree: ProviderTree = [
      provider('root'),
      provider('child', { traits: new Set(['A']), inventories: new Map([['VGPU', inventory(1)]]) }),
    ];
    const onRoot: Constraint = { kind: 'trait', suffix: '', trait: 'A', wanted: 'required', onRoot: true, origin };
    expect(admits({ constraints: [resource('', 'VGPU', 1), trait('', 'A', 'required')] }, tree).state).toBe('passes');
    expect(admits({ constraints: [resource('', 'VGPU', 1), onRoot] }, tree).state).toBe('rejects');
  });

  it('is in the aggregates of its root', () => {
    const tree: ProviderTree = [
      provider('root', { aggregates: new Set(['a']) }),
      provider('child', { inventories: new Map([['VGPU', inventory(1)]]) }),
    ];
    const member = (wanted: 'required' | 'forbidden', aggregates: string[]): PlacementQuery => ({
      constraints: [resource('', 'VGPU', 1), { kind: 'member-of', suffix: '', aggregates, wanted, origin }],
    });
    expect(admits(member('required', ['a', 'b']), tree).state).toBe('passes');
    expect(admits(member('required', ['b']), tree).state).toBe('rejects');
    expect(admits(member('forbidden', ['a']), tree).state).toBe('rejects');
    expect(admits(member('required', []), tree).state).toBe('rejects');
  });

  it('is no candidate for several numbered groups without a policy', () => {
    const tree: ProviderTree = [provider('root', { inventories: new Map([['VGPU', inventory(8)]]) })];
    const constraints = [resource('1', 'VGPU', 1), resource('2', 'VGPU', 1)];
    expect(admits({ constraints }, tree)).toMatchObject({ state: 'rejects', because: 'no group_policy' });
    expect(admits({ constraints, groupPolicy: 'none' }, tree).state).toBe('passes');
    expect(admits({ constraints, groupPolicy: 'isolate' }, tree).state).toBe('rejects');
  });
});

describe('the question to Placement', () => {
  const ask = (
    extraSpecs: Record<string, string>,
    options: Record<string, string> = {},
    more = {},
  ): URLSearchParams => {
    const estate = estateOf([host('cmp1')], {
      scheduler: scheduler({ options: new Map(Object.entries(options)) }),
      aggregates: [
        { uuid: 'az', name: 'az1', hosts: ['cmp1'], metadata: { availability_zone: 'az1' } },
        { uuid: 'mine', name: 'mine', hosts: ['cmp1'], metadata: { 'filter_tenant_id:1': 'p1' } },
        { uuid: 'gpu', name: 'gpu', hosts: [], metadata: { 'trait:CUSTOM_GPU': 'required' } },
      ],
    });
    const wish = wishOf({ flavor: flavor({ extraSpecs }), project: 'p1', ...more });
    return new URLSearchParams(queryString(placementQuery(wish, estate)));
  };

  it('leaves out what the flavor sets to zero, and lets its extra specs win', () => {
    expect(
      ask({ 'resources:VCPU': '0', 'resources:MEMORY_MB': '64', 'resources:CUSTOM_BAREMETAL': '1' }).get('resources'),
    ).toBe('CUSTOM_BAREMETAL:1,DISK_GB:10,MEMORY_MB:64');
  });

  it('counts swap in whole GB, and no root disk that is a volume', () => {
    const sizes = flavor({ diskGb: 20, ephemeralGb: 5, swapMb: 1025 });
    expect(ask({}, {}, { flavor: sizes }).get('resources')).toContain('DISK_GB:27');
    expect(ask({}, {}, { flavor: sizes, fromVolume: true }).get('resources')).toContain('DISK_GB:7');
  });

  it('has a group of its own for each suffix', () => {
    const query = ask({
      'resources1:VGPU': '1',
      'trait1:CUSTOM_A': 'required',
      'resources_NET:SRIOV_NET_VF': '2',
      group_policy: 'isolate',
    });
    expect(Object.fromEntries(query)).toMatchObject({
      resources1: 'VGPU:1',
      required1: 'CUSTOM_A',
      resources_NET: 'SRIOV_NET_VF:2',
      group_policy: 'isolate',
    });
  });

  it('asks for PCPU instead of VCPU where CPUs are pinned', () => {
    const query = ask({ 'hw:cpu_policy': 'dedicated', 'hw:cpu_thread_policy': 'isolate' });
    expect(query.get('resources')).toBe('DISK_GB:10,MEMORY_MB:2048,PCPU:1');
    expect(query.get('required')).toBe('!HW_CPU_HYPERTHREADING');
  });

  it('follows the pre-filters that are on', () => {
    expect(ask({}, {}, { zone: 'az1' }).get('member_of')).toBe('in:az');
    expect(
      ask({}, { 'scheduler.query_placement_for_availability_zone': 'false' }, { zone: 'az1' }).get('member_of'),
    ).toBeNull();
    expect(ask({}, { 'scheduler.limit_tenants_to_placement_aggregate': 'true' }).get('member_of')).toBe('in:mine');
    expect(ask({}, { 'scheduler.enable_isolated_aggregate_filtering': 'true' }).get('member_of')).toBe('!in:gpu');
    expect(
      ask({ 'trait:CUSTOM_GPU': 'required' }, { 'scheduler.enable_isolated_aggregate_filtering': 'true' }).get(
        'member_of',
      ),
    ).toBeNull();
    expect(ask({}).get('root_required')).toBe('!COMPUTE_STATUS_DISABLED');
  });

  it('is not put at all for a zone that does not exist', () => {
    const wish = wishOf({ zone: 'nowhere' });
    expect(queryString(placementQuery(wish, estateOf([host('cmp1')])))).toBeUndefined();
    expect(queryString(placementQuery(wishOf({ zone: 'nova' }), estateOf([host('cmp1')])))).toBeDefined();
  });

  it('is about one tree where a host is named', () => {
    expect(ask({}, {}, { destination: { kind: 'force', host: 'cmp1' } }).get('in_tree')).toBe('rp-cmp1');
  });

  it('has the groups of the ports', () => {
    const port = (resourceRequest: Record<string, unknown>) => ({
      id: 'port-1',
      network: 'n',
      networkName: 'n',
      vnicType: 'normal',
      segments: [],
      resourceRequest,
    });
    const older = ask(
      {},
      {},
      { ports: [port({ resources: { NET_BW_EGR_KILOBIT_PER_SEC: 1000 }, required: ['CUSTOM_PHYSNET_X'] })] },
    );
    expect(older.get('resourcesport-1')).toBe('NET_BW_EGR_KILOBIT_PER_SEC:1000');
    expect(older.get('requiredport-1')).toBe('CUSTOM_PHYSNET_X');
    const newer = ask(
      {},
      {},
      {
        ports: [
          port({
            request_groups: [
              { id: 'a', resources: { NET_BW_EGR_KILOBIT_PER_SEC: 1000 }, required: [] },
              { id: 'b', resources: { NET_PACKET_RATE_KILOPACKET_PER_SEC: 1 }, required: [] },
            ],
            same_subtree: ['a', 'b'],
          }),
        ],
      },
    );
    expect(newer.get('same_subtree')).toBe('a,b');
    expect(newer.get('group_policy')).toBe('none');
  });
});
