import type { Constraint, PlacementQuery } from './query.ts';

/** Microversion at which Nova asks for allocation candidates (nova/scheduler/client/report.py SAME_SUBTREE_VERSION). */
export const candidatesMicroversion = '1.36';

const grouped = new WeakMap<PlacementQuery, ReadonlyMap<string, readonly Constraint[]>>();

/** Constraints by group, the unnumbered one first, then in the order in which they came. */
export function groupsOf(query: PlacementQuery): ReadonlyMap<string, readonly Constraint[]> {
  const done = grouped.get(query);
  if (done !== undefined) return done;
  const groups = new Map<string, Constraint[]>([['', []]]);
  for (const constraint of query.constraints) {
    const group = groups.get(constraint.suffix);
    if (group === undefined) groups.set(constraint.suffix, [constraint]);
    else group.push(constraint);
  }
  grouped.set(query, groups);
  return groups;
}

/**
 * The query of `GET /allocation_candidates?…`, as Nova's report client writes it (nova/scheduler/utils.py ResourceRequest.to_querystring,
 * nova/objects/request_spec.py RequestGroup.to_queryparams); undefined where Nova would not ask at all, because a pre-filter or its API found
 * nothing that could satisfy the request (an availability zone that does not exist).
 */
export function queryString(query: PlacementQuery, limit = 1000): string | undefined {
  const parameters: [string, string][] = query.unlimited === true ? [] : [['limit', String(limit)]];
  if (query.groupPolicy !== undefined) parameters.push(['group_policy', query.groupPolicy]);
  const root = traitList(query.constraints, true);
  if (root !== '') parameters.push(['root_required', root]);
  for (const suffixes of query.sameSubtree ?? []) parameters.push(['same_subtree', [...suffixes].sort().join(',')]);
  for (const [suffix, constraints] of groupsOf(query)) {
    const amounts = new Map<string, number>();
    const forbidden = new Set<string>();
    for (const c of constraints) {
      if (c.kind === 'resource') amounts.set(c.resourceClass, (amounts.get(c.resourceClass) ?? 0) + c.amount);
      if (c.kind === 'in-tree') parameters.push([`in_tree${suffix}`, c.provider]);
      if (c.kind === 'member-of') {
        if (c.wanted === 'forbidden') for (const uuid of c.aggregates) forbidden.add(uuid);
        else if (c.aggregates.length === 0) return undefined;
        else parameters.push([`member_of${suffix}`, `in:${[...c.aggregates].sort().join(',')}`]);
      }
    }
    if (amounts.size > 0) {
      const words = [...amounts].map(([name, amount]) => `${name}:${amount}`);
      parameters.push([`resources${suffix}`, words.sort().join(',')]);
    }
    const traits = traitList(constraints, false);
    if (traits !== '') parameters.push([`required${suffix}`, traits]);
    if (forbidden.size > 0) parameters.push([`member_of${suffix}`, `!in:${[...forbidden].sort().join(',')}`]);
  }
  parameters.sort(([a, x], [b, y]) => compare(a, b) || compare(x, y));
  return new URLSearchParams(parameters).toString();
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

function traitList(constraints: readonly Constraint[], onRoot: boolean): string {
  const required = new Set<string>();
  const forbidden = new Set<string>();
  for (const c of constraints) {
    if (c.kind !== 'trait' || (c.onRoot === true) !== onRoot) continue;
    (c.wanted === 'required' ? required : forbidden).add(c.trait);
  }
  return [...[...required].sort(), ...[...forbidden].sort().map((trait) => `!${trait}`)].join(',');
}
