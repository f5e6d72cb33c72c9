import { holds } from './admits.ts';
import type { Assessed } from './assess.ts';
import type { Provider } from './estate.ts';
import { counts, limitOf } from './filters/counts.ts';
import type { PlacementQuery } from './query.ts';
import type { Scene } from './scene.ts';

/** How many instances of the request get a host at once. */
export interface Capacity {
  readonly total: number;
  /** Of each host that has any. */
  readonly each: ReadonlyMap<string, number>;
  /** As many as the request wants, or the column that is first short of them. */
  readonly short: string | undefined;
}

/** Far more than any request asks for. */
const many = 1_000_000;

/** Columns by which a group is kept. */
const groupFilter: Readonly<Record<string, string>> = {
  affinity: 'ServerGroupAffinityFilter',
  'anti-affinity': 'ServerGroupAntiAffinityFilter',
};

/**
 * Placement's room summed over the hosts that are given, as far as NumInstancesFilter and IoOpsFilter let them have it at once, which count
 * those that were placed a moment ago, too; with affinity all have to go to one, with anti-affinity few to each.
 */
export function capacityOf(hosts: readonly Assessed[], scene: Scene, query: PlacementQuery): Capacity {
  const { group, count, destination } = scene.wish;
  const each = new Map<string, number>();
  const asked = askedBy(query);
  const counting = destination?.kind === 'force' ? [] : countingOf(scene);
  const sums = new Map<string, number>();
  const add = (step: string, number: number): void => {
    sums.set(step, (sums.get(step) ?? 0) + number);
  };
  for (const { host } of hosts) {
    const tree = scene.treeOf(host);
    let here = tree === undefined ? many : roomFor(asked, [...tree, ...scene.sharedWith(tree)]);
    add('placement', here);
    for (const counted of counting) {
      const now = counted.of(host);
      if (now !== undefined) here = Math.min(here, Math.max(0, limitOf(counted, host.host, scene).limit - now));
      add(counted.filter, here);
    }
    const there = group?.memberHosts.filter((h) => h === host.host).length ?? 0;
    const allowed = group?.policy === 'anti-affinity' ? Math.max(0, group.maxPerHost - there) : many;
    const number = Math.min(here, allowed);
    if (number > 0) each.set(host.host, (each.get(host.host) ?? 0) + number);
  }
  // What is shared is there once, whatever the hosts that it is shared with.
  const shared = roomOfAll(asked, hosts, scene);
  sums.set('placement', Math.min(sums.get('placement') ?? 0, shared));
  const numbers = [...each.values()];
  const isOne = group?.policy === 'affinity';
  const total = isOne
    ? numbers.reduce((a, b) => Math.max(a, b), 0)
    : Math.min(
        shared,
        numbers.reduce((a, b) => a + b, 0),
      );
  const [short] = [...sums].find(([, sum]) => sum < count) ?? [];
  return { total, each, short: total >= count ? undefined : (short ?? groupFilter[group?.policy ?? '']) };
}

const countingOf = (scene: Scene): (typeof counts)[keyof typeof counts][] => {
  const enabled = scene.estate.scheduler.enabledFilters.map((f) => f.split('.').at(-1));
  return Object.values(counts).filter((counted) => enabled.includes(counted.filter));
};

/** Amounts by class: of all groups together, and the largest of one. */
type Asked = readonly { readonly resourceClass: string; readonly sum: number; readonly largest: number }[];

function askedBy(query: PlacementQuery): Asked {
  const asked = new Map<string, number[]>();
  for (const c of query.constraints)
    if (c.kind === 'resource') asked.set(c.resourceClass, [...(asked.get(c.resourceClass) ?? []), c.amount]);
  return [...asked].map(([resourceClass, amounts]) => ({
    resourceClass,
    sum: amounts.reduce((a, b) => a + b, 0),
    largest: Math.max(...amounts),
  }));
}

/** How many times providers have room for one class, and for each of them. */
const timesOf = ({ resourceClass, sum, largest }: Asked[number], providers: Iterable<Provider>): number => {
  let times = 0;
  for (const provider of providers) {
    const i = provider.inventories.get(resourceClass);
    if (i === undefined || !holds(i, largest)) continue;
    times += Math.floor(((i.total - i.reserved) * i.allocationRatio - i.used + 1e-9) / sum);
  }
  return times;
};

/** How many times a tree has room for the whole query, with what is shared with it: of each class, what its providers give. */
const roomFor = (asked: Asked, providers: readonly Provider[]): number =>
  asked.reduce((least, one) => Math.min(least, timesOf(one, providers)), many);

/** The same of all hosts together; without anything that is shared, the sum over them is bound already. */
function roomOfAll(asked: Asked, hosts: readonly Assessed[], scene: Scene): number {
  const trees = hosts.map(({ host }) => scene.treeOf(host));
  const all = new Set(trees.flatMap((tree) => (tree === undefined ? [] : [...tree, ...scene.sharedWith(tree)])));
  const isShared = [...all].some((p) => p.traits.has('MISC_SHARES_VIA_AGGREGATE'));
  return isShared && !trees.includes(undefined) ? roomFor(asked, [...all]) : many;
}
