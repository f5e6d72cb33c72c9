import type { Relaxation, ScheduleChange } from '../engine/schedule.ts';
import { applied } from './apply.ts';
import { placementQuery } from './ask.ts';
import { type Assessed, assessedBy } from './assess.ts';
import { capacityOf } from './capacity.ts';
import { wordsOf } from './changes.ts';
import type { Estate, HostFacts } from './estate.ts';
import type { Obstacle } from './judgement.ts';
import { sceneOf } from './scene.ts';
import { stepsOf } from './steps.ts';
import type { Wish } from './wish.ts';

/** More changes at once than these are no advice. */
const mostChanges = 3;
/** Sets that are looked at for one host, and candidates that are tried before the search is given up. */
const mostSets = 64;
const mostTries = 40;
/** Of a cloud with this many candidates, fewer are tried: each that fails has them all sorted again. */
const manyCandidates = 2000;
const fewTries = 12;
/** Hosts that are looked at for whether one more of them gives room enough. */
const mostMore = 12;
/** Relaxations that are offered: of the request alone, and all. */
const mostOfRequest = 4;
const mostOffered = 6;
/** Of one kind, e.g. each of a hundred disabled hosts. */
const mostAlike = 2;

/** Changes by what they change, so that two of one thing become one. */
type Changes = ReadonlyMap<string, ScheduleChange>;

interface Candidate {
  readonly changes: Changes;
  /** What they change, in order. */
  readonly shape: string;
  readonly hosts: readonly HostFacts[];
}

const candidateOf = (changes: Changes, hosts: readonly HostFacts[]): Candidate => ({
  changes,
  shape: shapesOf(changes),
  hosts,
});

const shapesOf = (changes: Changes): string => [...changes.keys()].sort().join('\n');

/**
 * The smallest sets of changes after which a host passes every step. Each host has its own obstacles, each obstacle its ways: the minimal
 * hitting sets over them, merged where hosts share them (of an amount, the largest that one of them has). Every one that is offered has
 * been tried: the changes made, the hosts judged again.
 */
export function relaxationsOf(hosts: readonly Assessed[], wish: Wish, estate: Estate): readonly Relaxation[] {
  const byShape = new Map<string, { readonly changes: Changes; readonly host: HostFacts }[]>();
  for (const one of hosts) {
    const obstacles = obstaclesOf(one);
    for (const changes of hittingSets(obstacles)) {
      const shape = shapesOf(changes);
      const known = byShape.get(shape);
      if (known === undefined) byShape.set(shape, [{ changes, host: one.host }]);
      else known.push({ changes, host: one.host });
    }
  }
  return chosen([...byShape.values()].map(merged), wish, estate);
}

/**
 * For a request of more instances than there is room for: fewer of them, smaller ones, another policy of the group, or a host more.
 */
export function relaxationsOfCount(
  hosts: readonly Assessed[],
  total: number,
  wish: Wish,
  estate: Estate,
): readonly Relaxation[] {
  const fitting = hosts.filter((h) => h.fits !== 'no').map((h) => h.host);
  const candidates: Candidate[] = [];
  const add = (...changes: readonly ScheduleChange[]): void => {
    candidates.push(candidateOf(new Map(changes.map((c) => [shapeOf(c), c])), fitting));
  };
  if (total > 0) add({ kind: 'count', on: 'request', asked: wish.count, atMost: total });
  const { group } = wish;
  if (group !== undefined && !group.policy.startsWith('soft-'))
    add({ kind: 'group', on: 'request', group: group.name, policy: group.policy, instead: `soft-${group.policy}` });
  for (const c of placementQuery(wish, estate).constraints) {
    if (c.kind !== 'resource' || c.origin.from !== 'flavor') continue;
    const atMost = largestFor(c.resourceClass, c.amount, hosts, wish, estate);
    if (atMost > 0) add({ kind: 'resource', on: 'request', resource: c.resourceClass, asked: c.amount, atMost });
  }
  for (const one of hosts.filter((h) => h.fits === 'no').slice(0, mostMore)) {
    const obstacles = obstaclesOf(one);
    for (const changes of hittingSets(obstacles))
      if ([...changes.values()].every((c) => c.on === 'cloud'))
        candidates.push(candidateOf(changes, [...fitting, one.host]));
  }
  return chosen(candidates, wish, estate);
}

/** The largest amount of a class at which as many instances have room as are asked for. */
function largestFor(
  resourceClass: string,
  asked: number,
  hosts: readonly Assessed[],
  wish: Wish,
  estate: Estate,
): number {
  const fitting = hosts.filter((h) =>
    h.judgements.every(
      (j) => j.state !== 'rejects' || j.obstacles.every((o) => o.kind === `resource :${resourceClass}`),
    ),
  );
  const scene = sceneOf(wish, estate);
  const isEnough = (atMost: number): boolean => {
    const change: ScheduleChange = { kind: 'resource', on: 'request', resource: resourceClass, asked, atMost };
    const now = applied([change], wish, estate).wish;
    return capacityOf(fitting, { ...scene, wish: now }, placementQuery(now, estate)).total >= wish.count;
  };
  let [least, most] = [0, asked];
  while (most - least > 1) {
    const middle = Math.floor((least + most) / 2);
    if (isEnough(middle)) least = middle;
    else most = middle;
  }
  return least;
}

// Sets.

/** What a change changes, without how far. */
function shapeOf(change: ScheduleChange): string {
  switch (change.kind) {
    case 'resource':
      return `resource ${change.resource}`;
    case 'count':
      return 'count';
    case 'extra-spec':
      return `extra-spec ${change.key} ${change.value} ${isAmount(change) ? '≤' : (change.instead?.value ?? '')}`;
    case 'inventory':
      return `inventory ${change.provider} ${change.resource} ${change.field}`;
    case 'agent':
    case 'mapping':
    case 'network':
    case 'port': {
      const { because: _, ...rest } = { because: '', ...change };
      return JSON.stringify(rest);
    }
    default:
      return JSON.stringify(change);
  }
}

const isAmount = (change: ScheduleChange): boolean =>
  change.kind === 'extra-spec' && change.key.startsWith('resources') && change.instead !== undefined;

/** How much of what was asked for a change leaves: 1 for all. */
function left(change: ScheduleChange): number {
  if (change.kind === 'resource' || change.kind === 'count') return change.atMost / change.asked;
  if (change.kind === 'extra-spec' && isAmount(change)) return Number(change.instead?.value) / Number(change.value);
  return 1;
}

/** Two changes of one thing as the one that does for both. */
function both(a: ScheduleChange, b: ScheduleChange): ScheduleChange {
  if (a.kind === 'inventory' && b.kind === 'inventory')
    return (a.field === 'reserved' ? a.to <= b.to : a.to >= b.to) ? a : b;
  return left(a) <= left(b) ? a : b;
}

/** Everything a host is rejected over. A build that failed is explained by whatever else is wrong there: the network, most often. */
function obstaclesOf({ judgements }: Assessed): readonly Obstacle[] {
  const all = judgements.flatMap((j) => (j.state === 'rejects' ? j.obstacles : []));
  const others = all.filter((o) => o.of !== 'build');
  return others.length > 0 ? others : all;
}

/** The minimal sets of changes that take away every obstacle; none where one of them has no way. */
function hittingSets(obstacles: readonly Obstacle[]): readonly Changes[] {
  if (obstacles.length === 0 || obstacles.some((o) => o.ways.length === 0)) return [];
  let sets: readonly Changes[] = [new Map()];
  for (const { ways } of [...obstacles].sort((a, b) => a.ways.length - b.ways.length)) {
    const next = sets.flatMap((set) =>
      ways.flatMap((way): Changes[] => {
        const more = new Map(set);
        for (const change of way) {
          const shape = shapeOf(change);
          const known = more.get(shape);
          more.set(shape, known === undefined ? change : both(known, change));
        }
        return more.size <= mostChanges ? [more] : [];
      }),
    );
    sets = smallest(next).slice(0, mostSets);
  }
  return sets;
}

/** Without those that another is part of. */
function smallest(sets: readonly Changes[]): readonly Changes[] {
  const kept: Changes[] = [];
  for (const set of [...sets].sort((a, b) => a.size - b.size))
    if (!kept.some((k) => [...k.keys()].every((shape) => set.has(shape)))) kept.push(set);
  return kept;
}

/** One candidate for hosts with the same set of changes: the amounts of the host that leaves most, and the hosts that have as much. */
function merged(of: readonly { readonly changes: Changes; readonly host: HostFacts }[]): Candidate {
  const least = (changes: Changes): number => [...changes.values()].reduce((m, c) => Math.min(m, left(c)), 1);
  const sum = (changes: Changes): number => [...changes.values()].reduce((s, c) => s + left(c), 0);
  const [first, ...rest] = of;
  if (first === undefined) return candidateOf(new Map(), []);
  const best = rest.reduce((a, b) => {
    const order = least(b.changes) - least(a.changes) || sum(b.changes) - sum(a.changes);
    return order > 0 ? b : a;
  }, first);
  const hosts = of.filter(({ changes }) =>
    [...changes].every(([shape, change]) => left(change) >= left(best.changes.get(shape) ?? change)),
  );
  return candidateOf(
    best.changes,
    hosts.map((h) => h.host),
  );
}

/** Without those that need what another needs, and more. */
function minimal(candidates: readonly Candidate[]): Candidate[] {
  const bySize = [...candidates].sort((a, b) => a.changes.size - b.changes.size);
  const shapes = new Set(bySize.map((c) => c.shape));
  return bySize.filter((c) => {
    const keys = [...c.changes.keys()].sort();
    return !parts(keys).some((part) => shapes.has(part.join('\n')));
  });
}

/** Every proper part of at most three, but the empty one. */
function parts(keys: readonly string[]): readonly (readonly string[])[] {
  const all: (readonly string[])[] = [];
  for (let mask = 1; mask < 2 ** keys.length - 1; mask++) all.push(keys.filter((_, i) => (mask & (1 << i)) !== 0));
  return all;
}

// Order.

/** How much one would rather not, of changes of one side. */
const burden: Readonly<Record<ScheduleChange['kind'], number>> = {
  count: -1,
  resource: 0,
  'extra-spec': 1,
  'image-property': 1,
  zone: 1,
  host: 1,
  hint: 1,
  group: 2,
  network: 3,
  port: 3,
  allocation: 0,
  discover: 0,
  'service-enabled': 1,
  'service-up': 1,
  cell: 1,
  agent: 1,
  'aggregate-host': 3,
  'aggregate-property': 3,
  mapping: 3,
  trait: 4,
  inventory: 5,
  filter: 8,
};

const onCloud = ({ changes }: Candidate): number => [...changes.values()].filter((c) => c.on === 'cloud').length;
const heavy = ({ changes }: Candidate): number => [...changes.values()].reduce((s, c) => s + weight(c), 0);

/** What was set against the usual is set back before anything else is bent. */
function weight(change: ScheduleChange): number {
  if (change.kind === 'aggregate-host' && change.mirror === true) return 0;
  if (change.kind !== 'inventory') return burden[change.kind];
  if (change.field === 'allocation_ratio') return change.from < 1 ? 3 : 6;
  return burden.inventory;
}
const leaving = ({ changes }: Candidate): number => [...changes.values()].reduce((s, c) => s + left(c), 0);

const inOrder = (a: Candidate, b: Candidate): number =>
  a.changes.size - b.changes.size ||
  onCloud(a) - onCloud(b) ||
  heavy(a) - heavy(b) ||
  leaving(b) - leaving(a) ||
  b.hosts.length - a.hosts.length ||
  (a.shape < b.shape ? -1 : a.shape > b.shape ? 1 : 0);

const alike = ({ changes }: Candidate): string =>
  [...changes.values()]
    .map((c) => {
      if (c.kind === 'extra-spec' || c.kind === 'image-property') return `${c.kind} ${c.key}`;
      if (c.kind === 'inventory') return `${c.kind} ${c.field}`;
      if (c.kind === 'resource') return `${c.kind} ${c.resource}`;
      return c.kind === 'aggregate-host' && c.mirror === true ? 'mirror' : c.kind;
    })
    .sort()
    .join();

// Trying.

interface Tried {
  /** Those that nothing rejects then; none where they have no room for as many as are asked for. */
  readonly given: readonly Assessed[];
  readonly rejected: readonly Assessed[];
  readonly wish: Wish;
  readonly estate: Estate;
}

/** The changes made, and the candidate's hosts judged again. */
function tried({ changes, hosts }: Candidate, wish: Wish, estate: Estate): Tried {
  const now = applied([...changes.values()], wish, estate);
  const scene = sceneOf(now.wish, now.estate);
  const steps = stepsOf(scene, []);
  const names = new Set(hosts.map((h) => `${h.host} ${h.node}`));
  const all = now.estate.hosts
    .filter((h) => names.has(`${h.host} ${h.node}`))
    .map((host) =>
      assessedBy(
        host,
        steps.map((step) => step.judge(host)),
      ),
    );
  const open = all.filter((h) => h.fits !== 'no');
  const rejected = all.filter((h) => h.fits === 'no');
  const { count } = now.wish;
  const isEnough = count <= 1 || capacityOf(open, scene, placementQuery(now.wish, now.estate)).total >= count;
  return { ...now, given: isEnough ? open : [], rejected };
}

/** What else a candidate takes, where its changes bring something to light: filters that a forced host had skipped. */
function extended(candidate: Candidate, { rejected }: Tried): readonly Candidate[] {
  const more = new Map<string, { readonly changes: Changes; readonly host: HostFacts }[]>();
  for (const one of rejected)
    for (const set of hittingSets(obstaclesOf(one))) {
      const changes = new Map([...candidate.changes, ...set]);
      if (changes.size > mostChanges || changes.size === candidate.changes.size) continue;
      const shape = shapesOf(changes);
      more.set(shape, [...(more.get(shape) ?? []), { changes, host: one.host }]);
    }
  return [...more.values()].map(merged);
}

/** The best candidates that hold when they are tried, the request's before the cloud's, not all of one kind. */
function chosen(candidates: readonly Candidate[], wish: Wish, estate: Estate): readonly Relaxation[] {
  const offered: { readonly candidate: Candidate; readonly relaxation: Relaxation }[] = [];
  const kinds = new Map<string, number>();
  const done = new Set<string>();
  let known = [...candidates];
  let left = minimal(known).sort(inOrder);
  let at = 0;
  const most = candidates.length > manyCandidates ? fewTries : mostTries;
  for (let tries = 0; tries < most && offered.length < mostOffered; ) {
    const candidate = left[at];
    if (candidate === undefined) break;
    at += 1;
    if (done.has(candidate.shape)) continue;
    done.add(candidate.shape);
    const kind = alike(candidate);
    const isOfRequest = onCloud(candidate) === 0;
    if ((kinds.get(kind) ?? 0) >= mostAlike) continue;
    if (isOfRequest && offered.filter((o) => onCloud(o.candidate) === 0).length >= mostOfRequest) continue;
    if (offered.some((o) => [...o.candidate.changes.keys()].every((shape) => candidate.changes.has(shape)))) continue;
    tries += 1;
    const after = tried(candidate, wish, estate);
    if (after.given.length === 0) {
      // What needs this and more comes into question again.
      const shapes = new Set(known.map((c) => c.shape));
      const more = extended(candidate, after).filter((c) => !shapes.has(c.shape));
      known = [...known.filter((c) => c !== candidate), ...more];
      left = minimal(known).sort(inOrder);
      at = 0;
      continue;
    }
    kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
    offered.push({ candidate, relaxation: relaxationOf(candidate, after) });
  }
  const [cells, others] = [offered.filter(mendsCell), offered.filter((o) => !mendsCell(o))];
  return [...cells, ...others].map((o) => o.relaxation);
}

/**
 * What mends a cell comes before what goes around it: the scheduler waits for a cell that hangs, and by then takes the reports of all other hosts
 * for too old (nova/context.py CELL_TIMEOUT, and service_down_time, are 60 s each).
 */
const mendsCell = ({ candidate }: { readonly candidate: Candidate }): boolean =>
  [...candidate.changes.values()].some((change) => change.kind === 'cell');

function relaxationOf({ changes }: Candidate, after: Tried): Relaxation {
  const sure = after.given.filter((h) => h.fits === 'yes');
  const given = sure.length > 0 ? sure : after.given;
  const words = [...changes.values()].map(wordsOf).join(' and ');
  const open = sure.length > 0 ? [] : openSteps(after);
  return {
    changes: [...changes.values()],
    hosts: [...new Set(given.map((h) => h.host.host))].sort(),
    proof: 'computed',
    words: open.length === 0 ? words : `${words} (as far as can be told: not ${open.join(', ')})`,
  };
}

/** Steps that could not be computed. */
function openSteps({ given, wish, estate }: Tried): readonly string[] {
  const columns = stepsOf(sceneOf(wish, estate), []).map((s) => s.column.id);
  const open = given.flatMap((h) => h.judgements.flatMap((j, i) => (j.state === 'unknown' ? (columns[i] ?? []) : [])));
  return [...new Set(open)];
}
