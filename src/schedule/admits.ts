import type { HostVerdict, ScheduleChange } from '../engine/schedule.ts';
import type { Inventory, Provider } from './estate.ts';
import { type Judgement, judged, type Obstacle, verdictOf } from './judgement.ts';
import type { Constraint, Origin, PlacementQuery } from './query.ts';
import { groupsOf } from './query-string.ts';
import type { ProviderTree } from './scene.ts';

export type { ProviderTree } from './scene.ts';

/** Providers of other trees that share what they have with this one (MISC_SHARES_VIA_AGGREGATE): they are in an aggregate of one of its providers. */
type Sharing = readonly Provider[];

type Resource = Extract<Constraint, { kind: 'resource' }>;
type Trait = Extract<Constraint, { kind: 'trait' }>;
type MemberOf = Extract<Constraint, { kind: 'member-of' }>;
type Way = readonly [ScheduleChange, ...ScheduleChange[]];

/** What takes an obstacle of Placement away, beside taking the constraint back: needs more than the tree to be known. */
export interface Mends {
  /** Ways to get room for an amount on a provider. */
  room(provider: Provider, resourceClass: string, inventory: Inventory, amount: number): readonly Way[];
  trait(provider: Provider, constraint: Trait): readonly Way[];
  memberOf(tree: ProviderTree, constraint: MemberOf): readonly Way[];
  /** Whether Nova's own aggregates have the host, and only Placement's copy of them has not. */
  isUnmirrored(constraint: MemberOf): boolean;
}

const noMends: Mends = { room: () => [], trait: () => [], memberOf: () => [], isUnmirrored: () => false };

/** Whether Placement gives candidates of one tree, and of what shares into it. */
export function admits(query: PlacementQuery, tree: ProviderTree, sharing: Sharing = []): HostVerdict {
  return verdictOf(candidacy(query, tree, sharing));
}

/** The most that a provider has for one more consumer: free, at most max_unit, in whole steps. */
export function roomOf(inventory: Inventory): number {
  const free = Math.floor((inventory.total - inventory.reserved) * inventory.allocationRatio - inventory.used + 1e-6);
  const most = Math.min(free, inventory.maxUnit);
  const stepped = Math.floor(most / inventory.stepSize) * inventory.stepSize;
  return stepped < inventory.minUnit ? 0 : stepped;
}

/** placement/objects/research_context.py _capacity_check_clause. */
export const holds = (inventory: Inventory, amount: number): boolean =>
  inventory.used + amount <= (inventory.total - inventory.reserved) * inventory.allocationRatio + 1e-9 &&
  inventory.minUnit <= amount &&
  inventory.maxUnit >= amount &&
  amount % inventory.stepSize === 0;

export const unitOf = (resourceClass: string): string =>
  resourceClass === 'MEMORY_MB' ? 'MB' : resourceClass === 'DISK_GB' ? 'GB' : resourceClass;

const withUnit = (amount: number, resourceClass: string): string => `${amount} ${unitOf(resourceClass)}`;

/** MEMORY_MB → memory. */
export const nameOf = (resourceClass: string): string =>
  resourceClass === 'MEMORY_MB'
    ? 'memory'
    : resourceClass === 'DISK_GB'
      ? 'disk'
      : resourceClass === 'VCPU'
        ? 'vcpus'
        : resourceClass;

/**
 * Everything for which Placement gives no candidate of one tree, constraint by constraint (placement/objects/allocation_candidate.py): the
 * unnumbered group may take each class from another provider of the tree, or from one that shares into it, and their traits count together; a
 * numbered group is of one provider.
 */
export function candidacy(
  query: PlacementQuery,
  tree: ProviderTree,
  sharing: Sharing = [],
  mends: Mends = noMends,
): Judgement {
  const obstacles = oneByOne(query, tree, sharing, mends);
  if (obstacles.length === 0 && !isCombined(query, tree, sharing)) return judged([combination(query, tree, sharing)]);
  return judged(obstacles);
}

function oneByOne(query: PlacementQuery, tree: ProviderTree, sharing: Sharing, mends: Mends): Obstacle[] {
  const groups = groupsOf(query);
  const obstacles: Obstacle[] = [];
  const [root] = tree;
  for (const c of query.constraints)
    if (c.kind === 'trait' && c.onRoot === true && root.traits.has(c.trait) !== (c.wanted === 'required'))
      obstacles.push(traitObstacle(c, root, mends));
  for (const constraints of groups.values()) obstacles.push(...groupObstacles(constraints, tree, sharing, mends));
  if (groups.size >= 3 && query.groupPolicy === undefined) obstacles.push(noPolicy(groups.size - 1));
  return obstacles;
}

/**
 * Providers that one group may take from. One that shares has itself to be in the aggregates that are asked for, whatever those of the tree's
 * root (RequestGroupSearchContext.get_rps_with_shared_capacity); a group that is kept to one tree takes nothing from another.
 */
function within(constraints: readonly Constraint[], tree: ProviderTree, sharing: Sharing): ProviderTree {
  if (sharing.length === 0 || constraints.some((c) => c.kind === 'in-tree')) return tree;
  const [root, ...rest] = tree;
  const able = sharing.filter((p) =>
    constraints.every(
      (c) => c.kind !== 'member-of' || c.wanted === 'forbidden' || c.aggregates.some((uuid) => p.aggregates.has(uuid)),
    ),
  );
  return [root, ...rest, ...able];
}

/** What of one group no provider that it may take from can give, each constraint by itself. */
function groupObstacles(
  constraints: readonly Constraint[],
  tree: ProviderTree,
  sharing: Sharing,
  mends: Mends,
): Obstacle[] {
  const obstacles: Obstacle[] = [];
  const amounts = resourcesOf(constraints);
  const [root] = tree;
  const givers = within(constraints, tree, sharing);
  const others = sharing.filter((p) => !givers.includes(p));
  for (const c of constraints) {
    switch (c.kind) {
      case 'resource':
        if (amounts.get(c.resourceClass)?.first === c) {
          const amount = amounts.get(c.resourceClass)?.amount ?? c.amount;
          if (!givers.some((p) => has(p, c.resourceClass, amount)))
            obstacles.push(outOfReach(c, amount, constraints, others) ?? amountObstacle(c, amount, givers, mends));
        }
        break;
      case 'trait': {
        if (c.onRoot === true) break;
        const stocked =
          amounts.size === 0 ? tree : givers.filter((p) => [...amounts.keys()].some((rc) => p.inventories.has(rc)));
        const able = stocked.length === 0 ? [root] : stocked;
        const isMet =
          c.wanted === 'required' ? able.some((p) => p.traits.has(c.trait)) : able.some((p) => !p.traits.has(c.trait));
        if (!isMet) obstacles.push(traitObstacle(c, able[0] ?? root, mends));
        break;
      }
      case 'member-of': {
        const fitting = givers.filter((p) => isMember(p, root, c.aggregates) === (c.wanted === 'required'));
        const gives = (from: readonly Provider[], rc: string, amount: number): boolean =>
          from.some((p) => has(p, rc, amount));
        const all = [...amounts].map(([rc, { amount }]) => [rc, amount] as const);
        const isMet =
          c.wanted === 'required'
            ? tree.some((p) => fitting.includes(p)) ||
              (all.length > 0 && all.every(([rc, amount]) => gives(fitting, rc, amount)))
            : fitting.length > 0 &&
              all.every(([rc, amount]) => !gives(givers, rc, amount) || gives(fitting, rc, amount));
        if (!isMet) obstacles.push(memberObstacle(c, tree, mends));
        break;
      }
      case 'in-tree':
        if (!tree.some((p) => p.uuid === c.provider)) obstacles.push(hostObstacle(c.origin, root));
        break;
    }
  }
  return obstacles;
}

const resourcesOf = (
  constraints: readonly Constraint[],
): ReadonlyMap<string, { readonly amount: number; readonly first: Resource }> => {
  const amounts = new Map<string, { amount: number; first: Resource }>();
  for (const c of constraints) {
    if (c.kind !== 'resource') continue;
    const known = amounts.get(c.resourceClass);
    if (known === undefined) amounts.set(c.resourceClass, { amount: c.amount, first: c });
    else known.amount += c.amount;
  }
  return amounts;
};

function has(provider: Provider, resourceClass: string, amount: number): boolean {
  const inventory = provider.inventories.get(resourceClass);
  return inventory !== undefined && holds(inventory, amount);
}

/** Aggregates of the root span its tree (RPCandidateList.filter_by_rp_or_tree). */
const isMember = (provider: Provider, root: Provider, aggregates: readonly string[]): boolean =>
  aggregates.some((uuid) => provider.aggregates.has(uuid) || root.aggregates.has(uuid));

// Together.

/** Whether the constraints that hold one by one also hold together. */
function isCombined(query: PlacementQuery, tree: ProviderTree, sharing: Sharing): boolean {
  const [root] = tree;
  const groups = groupsOf(query);
  // What one provider gives one group by itself, it gives together.
  if (tree.length === 1 && sharing.length === 0 && groups.size === 1) return true;
  const choices: {
    readonly suffix: string;
    readonly options: readonly (readonly Provider[])[];
    readonly amounts: ReadonlyMap<string, number>;
  }[] = [];
  for (const [suffix, constraints] of groups) {
    const amounts = new Map([...resourcesOf(constraints)].map(([rc, { amount }]) => [rc, amount] as const));
    const fits = within(constraints, tree, sharing).filter((p) =>
      constraints.every((c) => c.kind !== 'member-of' || isMember(p, root, c.aggregates) === (c.wanted === 'required')),
    );
    const required = constraints.flatMap((c) =>
      c.kind === 'trait' && c.onRoot !== true && c.wanted === 'required' ? [c.trait] : [],
    );
    const forbidden = constraints.flatMap((c) =>
      c.kind === 'trait' && c.onRoot !== true && c.wanted === 'forbidden' ? [c.trait] : [],
    );
    const allowed = fits.filter((p) => !forbidden.some((t) => p.traits.has(t)));
    if (suffix !== '') {
      const options = allowed
        .filter((p) => required.every((t) => p.traits.has(t)))
        .filter((p) => [...amounts].every(([rc, amount]) => has(p, rc, amount)));
      choices.push({ suffix, options: options.map((p) => [p]), amounts });
      continue;
    }
    if (amounts.size === 0) continue;
    const each = [...amounts].map(([rc, amount]) => allowed.filter((p) => has(p, rc, amount)));
    const options = product(each).filter((chosen) => required.every((t) => chosen.some((p) => p.traits.has(t))));
    choices.push({ suffix, options, amounts });
  }
  return assign(choices, 0, [], query, [...tree, ...sharing]);
}

type Assigned = {
  readonly suffix: string;
  readonly chosen: readonly Provider[];
  readonly amounts: ReadonlyMap<string, number>;
};

/** A choice of providers for each group that keeps the group policy, the subtrees, and what a provider has for all of them. */
function assign(
  choices: readonly {
    readonly suffix: string;
    readonly options: readonly (readonly Provider[])[];
    readonly amounts: ReadonlyMap<string, number>;
  }[],
  at: number,
  done: readonly Assigned[],
  query: PlacementQuery,
  tree: readonly Provider[],
): boolean {
  const next = choices[at];
  if (next === undefined) return isTogether(done, query, tree);
  return next.options.some((chosen) =>
    assign(choices, at + 1, [...done, { suffix: next.suffix, chosen, amounts: next.amounts }], query, tree),
  );
}

function isTogether(done: readonly Assigned[], query: PlacementQuery, tree: readonly Provider[]): boolean {
  if (query.groupPolicy === 'isolate') {
    const used = done.flatMap(({ suffix, chosen }) => (suffix === '' ? [] : chosen.map((p) => p.uuid)));
    if (new Set(used).size < used.length) return false;
  }
  const taken = new Map<string, number>();
  for (const { chosen, amounts } of done)
    [...amounts].forEach(([rc, amount], i) => {
      const provider = chosen.length === 1 ? chosen[0] : chosen[i];
      if (provider !== undefined)
        taken.set(`${provider.uuid} ${rc}`, (taken.get(`${provider.uuid} ${rc}`) ?? 0) + amount);
    });
  for (const provider of tree)
    for (const [rc, inventory] of provider.inventories) {
      const amount = taken.get(`${provider.uuid} ${rc}`) ?? 0;
      const capacity = (inventory.total - inventory.reserved) * inventory.allocationRatio;
      if (amount > 0 && (inventory.used + amount > capacity + 1e-9 || amount > inventory.maxUnit)) return false;
    }
  return (query.sameSubtree ?? []).every((suffixes) => {
    const chosen = done.filter((d) => suffixes.includes(d.suffix)).flatMap((d) => d.chosen);
    return chosen.length < 2 || chosen.some((top) => chosen.every((p) => isUnder(p, top, tree)));
  });
}

function isUnder(provider: Provider, top: Provider, tree: readonly Provider[]): boolean {
  let at: Provider | undefined = provider;
  for (let depth = 0; at !== undefined && depth <= tree.length; depth++) {
    if (at.uuid === top.uuid) return true;
    const parent: string | undefined = at.parent;
    at = tree.find((p) => p.uuid === parent);
  }
  return false;
}

/** At most so many combinations are looked at; a tree that has more is one that no cloud has. */
const mostCombinations = 4096;

function product(lists: readonly (readonly Provider[])[]): readonly (readonly Provider[])[] {
  let all: (readonly Provider[])[] = [[]];
  for (const list of lists) {
    all = all.flatMap((chosen) => list.map((p) => [...chosen, p]));
    if (all.length > mostCombinations) all = all.slice(0, mostCombinations);
  }
  return all;
}

// Obstacles.

/** The change of the request that takes a constraint back, or lowers an amount to what there is. */
export function takenBack(
  origin: Origin,
  resource?: { readonly asked: number; readonly atMost: number; readonly resourceClass: string },
): readonly Way[] {
  switch (origin.from) {
    case 'flavor':
      if (resource === undefined || resource.atMost <= 0) return [];
      return [
        [
          {
            kind: 'resource',
            on: 'request',
            resource: resource.resourceClass,
            asked: resource.asked,
            atMost: resource.atMost,
          },
        ],
      ];
    case 'extra-spec': {
      const { key, value } = origin;
      const isAmount = resource !== undefined && key.startsWith('resources') && resource.atMost > 0;
      return [
        [
          {
            kind: 'extra-spec',
            on: 'request',
            key,
            value,
            ...(isAmount ? { instead: { key, value: String(resource.atMost) } } : {}),
          },
        ],
      ];
    }
    case 'image-property':
      return [[{ kind: 'image-property', on: 'request', key: origin.key, value: origin.value }]];
    case 'zone':
      return [[{ kind: 'zone', on: 'request', asked: origin.zone }]];
    case 'destination':
      return [[{ kind: 'host', on: 'request', asked: origin.host }]];
    case 'port':
      return [[{ kind: 'port', on: 'request', port: origin.port, because: 'asks Placement for what no host has' }]];
    case 'project':
    case 'nova':
      return [];
  }
}

function amountObstacle(c: Resource, amount: number, tree: ProviderTree, mends: Mends): Obstacle {
  const { resourceClass } = c;
  const holders = tree.flatMap((provider) => {
    const inventory = provider.inventories.get(resourceClass);
    return inventory === undefined ? [] : [{ provider, inventory, room: roomOf(inventory) }];
  });
  const [best] = [...holders].sort((a, b) => b.room - a.room);
  const of = 'resource' as const;
  const wanted = `${withUnit(amount, resourceClass)}${unitOf(resourceClass) === resourceClass ? '' : ` ${nameOf(resourceClass)}`}`;
  if (best === undefined)
    return {
      kind: `resource ${c.suffix}:${resourceClass}`,
      of,
      because: `no ${resourceClass}`,
      wanted: `${amount} ${resourceClass}`,
      has: `no inventory of ${resourceClass}`,
      ways: takenBack(c.origin, { asked: amount, atMost: 0, resourceClass }),
    };
  const { inventory, provider, room } = best;
  const shared = provider.root === tree[0].root ? '' : `, shared by ${provider.name}`;
  const odd = amount % inventory.stepSize !== 0 || amount < inventory.minUnit;
  const stepped = Math.floor(Math.min(amount, room) / inventory.stepSize) * inventory.stepSize;
  const most = stepped < inventory.minUnit ? 0 : stepped;
  return {
    kind: `resource ${c.suffix}:${resourceClass}`,
    of,
    because: odd
      ? `${withUnit(amount, resourceClass)}: ${amount < inventory.minUnit ? `at least ${inventory.minUnit}` : `in steps of ${inventory.stepSize}`}`
      : `${amount} > ${withUnit(room, resourceClass)}`,
    wanted,
    has: `${inventoryWords(inventory, resourceClass, room)}${shared}`,
    ...(odd ? {} : { amount: { asked: amount, has: room, unit: unitOf(resourceClass) } }),
    ways: [
      ...takenBack(c.origin, { asked: c.amount, atMost: most === 0 ? 0 : c.amount - (amount - most), resourceClass }),
      ...mends.room(provider, resourceClass, inventory, amount),
    ],
  };
}

/** An amount that is shared with the tree by a provider that the group may not take from. */
function outOfReach(
  c: Resource,
  amount: number,
  constraints: readonly Constraint[],
  others: readonly Provider[],
): Obstacle | undefined {
  const { resourceClass } = c;
  const able = others.find((p) => has(p, resourceClass, amount));
  if (able === undefined) return undefined;
  const by = constraints.filter((o) => o.kind === 'in-tree' || (o.kind === 'member-of' && o.wanted === 'required'));
  return {
    kind: `resource ${c.suffix}:${resourceClass}`,
    of: 'resource',
    because: `no ${resourceClass} but what is shared`,
    wanted: withUnit(amount, resourceClass),
    has: by.some((o) => o.kind === 'in-tree')
      ? `${able.name} shares it, and a request that names its host takes from that one alone`
      : `${able.name} shares it, and is itself in none of the aggregates that are asked for`,
    ways: by.flatMap((o) => takenBack(o.origin)),
  };
}

/** `9690 MB free: total 16000, reserved 512, ratio 1.5, used 13542`. */
function inventoryWords(i: Inventory, resourceClass: string, room: number): string {
  const capped = i.maxUnit < i.total || i.maxUnit === room ? `, at most ${i.maxUnit} for one` : '';
  return `${withUnit(room, resourceClass)} free (total ${i.total}, reserved ${i.reserved}, ratio ${i.allocationRatio}, used ${i.used}${capped})`;
}

function traitObstacle(c: Trait, provider: Provider, mends: Mends): Obstacle {
  const whose = provider.parent === undefined ? '' : ` of ${provider.name}`;
  const lacks = c.wanted === 'required';
  const isStatus = c.trait === 'COMPUTE_STATUS_DISABLED';
  return {
    kind: `trait ${c.suffix}:${c.trait} ${c.wanted}`,
    of: isStatus
      ? 'service'
      : c.origin.from === 'image-property' && !c.origin.key.startsWith('trait:')
        ? 'image'
        : 'trait',
    because: isStatus ? 'disabled' : lacks ? `no ${c.trait}` : `has ${c.trait}`,
    wanted: isStatus ? 'an enabled nova-compute' : `${c.trait} ${c.wanted}`,
    has: isStatus
      ? 'COMPUTE_STATUS_DISABLED in Placement'
      : lacks
        ? `not among its traits${whose}`
        : `trait ${c.trait}${whose}`,
    ways: [...takenBack(c.origin), ...mends.trait(provider, c)],
  };
}

function memberObstacle(c: MemberOf, tree: ProviderTree, mends: Mends): Obstacle {
  const { origin } = c;
  const ways = [...takenBack(origin), ...mends.memberOf(tree, c)];
  if (c.wanted === 'required' && mends.isUnmirrored(c))
    return {
      kind: 'aggregate mirror',
      of: origin.from === 'zone' ? 'zone' : 'aggregate',
      because: 'not mirrored',
      wanted: origin.from === 'zone' ? `zone ${origin.zone} in Placement` : 'the aggregate in Placement',
      has: "in Nova's aggregate, and not in Placement's copy of it",
      ways,
    };
  if (origin.from === 'zone')
    return {
      kind: `zone ${origin.zone}`,
      of: 'zone',
      because: c.aggregates.length === 0 ? `no zone ${origin.zone}` : `not in ${origin.zone}`,
      wanted: `zone ${origin.zone}`,
      has:
        c.aggregates.length === 0
          ? 'no aggregate makes that zone'
          : `in none of ${c.aggregates.length} aggregate${c.aggregates.length === 1 ? '' : 's'} of that zone`,
      ways,
    };
  if (origin.from === 'project')
    return {
      kind: `project ${origin.project}`,
      of: 'aggregate',
      because: 'not of this project',
      wanted: `an aggregate of project ${origin.project}`,
      has: c.aggregates.length === 0 ? 'no aggregate is of this project' : 'in none of them',
      ways,
    };
  const isForbidden = c.wanted === 'forbidden';
  return {
    kind: `aggregate ${c.wanted}`,
    of: 'aggregate',
    because: isForbidden ? 'isolated aggregate' : 'not in the aggregate',
    wanted: isForbidden
      ? 'no aggregate that is kept for a trait which is not asked for'
      : 'an aggregate that was asked for',
    has: isForbidden ? 'in such an aggregate' : 'in none of them',
    ways,
  };
}

function hostObstacle(origin: Origin, root: Provider): Obstacle {
  const asked = origin.from === 'destination' ? origin.host : 'another host';
  return {
    kind: `host ${asked}`,
    of: 'host',
    because: `${asked} was asked for`,
    wanted: `host ${asked}`,
    has: root.name,
    ways: takenBack(origin),
  };
}

const noPolicy = (groups: number): Obstacle => ({
  kind: 'group policy',
  of: 'extra-spec',
  because: 'no group_policy',
  wanted: `${groups} numbered groups`,
  has: 'Placement answers 400 without group_policy',
  ways: [
    [
      {
        kind: 'extra-spec',
        on: 'request',
        key: 'group_policy',
        value: '',
        instead: { key: 'group_policy', value: 'none' },
      },
    ],
  ],
});

/** Each constraint can be met, and all of them together cannot: what of the flavor's own, left out, gives candidates. */
function combination(query: PlacementQuery, tree: ProviderTree, sharing: Sharing): Obstacle {
  const ways = query.constraints.flatMap((c, i): readonly Way[] => {
    if (c.origin.from === 'flavor') return [];
    const rest: PlacementQuery = { ...query, constraints: query.constraints.filter((_, j) => j !== i) };
    return oneByOne(rest, tree, sharing, noMends).length === 0 && isCombined(rest, tree, sharing)
      ? takenBack(c.origin)
      : [];
  });
  return {
    kind: 'combination',
    of: 'resource',
    because: 'not from one tree',
    wanted: 'all groups together',
    has: `${tree.length + sharing.length} providers that can give each, not all at once`,
    ways,
  };
}
