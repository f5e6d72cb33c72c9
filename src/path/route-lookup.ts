import type { Route } from '../nodes/parse/routes.ts';
import type { RoutingRule } from '../nodes/parse/rules.ts';
import { cidrContains, parseCidr, sameAddress } from './addresses.ts';

/** A packet as the routing policy database of one namespace sees it (IPv4). */
export interface RoutedPacket {
  readonly source?: string;
  readonly destination: string;
  /** Device it comes in by; absent for what the namespace itself sends. */
  readonly iif?: string;
}

/** What the kernel comes to. `unknown`: a rule in the way depends on what is not known (a mark, an owner). */
export type RouteAnswer =
  | { readonly kind: 'route'; readonly rule: RoutingRule; readonly route: Route }
  | { readonly kind: 'refused'; readonly rule: RoutingRule; readonly route?: Route }
  | { readonly kind: 'none' }
  | { readonly kind: 'unknown'; readonly rule: RoutingRule };

/** The three rules that every namespace is born with (ip-rule(8)). */
export const bornRules: readonly RoutingRule[] = [
  { priority: 0, inverted: false, from: 'all', table: 'local' },
  { priority: 32766, inverted: false, from: 'all', table: 'main' },
  { priority: 32767, inverted: false, from: 'all', table: 'default' },
];

/** Whether the namespace was born with this rule. */
export const isBorn = (rule: RoutingRule): boolean =>
  bornRules.some(
    (b) =>
      b.priority === rule.priority &&
      b.table === rule.table &&
      rule.from === 'all' &&
      !rule.inverted &&
      rule.to === undefined &&
      rule.iif === undefined &&
      rule.fwmark === undefined,
  );

const holds = (selector: string, address: string | undefined): boolean | undefined =>
  selector === 'all' ? true : address === undefined ? undefined : cidrContains(selector, address);

/** yes, no, or undefined where the packet is not known well enough. */
function selects(rule: RoutingRule, packet: RoutedPacket): boolean | undefined {
  const parts = [
    holds(rule.from, packet.source),
    rule.to === undefined ? true : holds(rule.to, packet.destination),
    rule.iif === undefined ? true : packet.iif === undefined ? rule.iif === 'lo' : rule.iif === packet.iif,
    rule.oif === undefined,
    rule.fwmark === undefined ? true : undefined,
  ];
  const all = parts.includes(false) ? false : parts.includes(undefined) ? undefined : true;
  return all === undefined ? undefined : rule.inverted ? !all : all;
}

const lengthOf = (route: Route): number =>
  route.destination === 'default' ? 0 : (parseCidr(route.destination)?.prefix ?? 32);

/** The route of one table that the kernel takes: the longest prefix, then the smallest metric. */
function bestOf(routes: readonly Route[], table: string, destination: string): Route | undefined {
  const [best] = routes
    .filter(
      (r) =>
        r.family === 4 &&
        r.table === table &&
        (r.destination === 'default' || cidrContains(r.destination, destination)) &&
        r.type !== 'broadcast' &&
        !r.flags.includes('dead') &&
        !r.flags.includes('linkdown'),
    )
    .sort((a, b) => lengthOf(b) - lengthOf(a) || (a.metric ?? 0) - (b.metric ?? 0));
  return best;
}

/** Walks the rules in the order of their priority, as the kernel does (net/ipv4/fib_rules.c). */
export function lookUp(
  rules: readonly RoutingRule[] | undefined,
  routes: readonly Route[],
  packet: RoutedPacket,
): RouteAnswer {
  for (const rule of [...(rules ?? bornRules)].sort((a, b) => a.priority - b.priority)) {
    const mine = selects(rule, packet);
    if (mine === false) continue;
    if (mine === undefined) {
      // A rule that looks into a table without an answer changes nothing, whether it is taken or not.
      if (rule.table !== undefined && bestOf(routes, rule.table, packet.destination) === undefined) continue;
      return { kind: 'unknown', rule };
    }
    if (rule.table === undefined) {
      if (rule.action === undefined || /^(?:nop|goto)/.test(rule.action)) continue;
      return { kind: 'refused', rule };
    }
    const route = bestOf(routes, rule.table, packet.destination);
    if (route === undefined || route.type === 'throw') continue;
    if (route.type === 'blackhole' || route.type === 'unreachable' || route.type === 'prohibit')
      return { kind: 'refused', rule, route };
    return { kind: 'route', rule, route };
  }
  return { kind: 'none' };
}

/** Where the answer leads, as far as one device and next hop tell. */
export const leadsTo = (answer: RouteAnswer, dev: string, via?: string): boolean =>
  answer.kind === 'route' &&
  answer.route.type === 'unicast' &&
  [answer.route, ...answer.route.nexthops].some(
    (hop) =>
      hop.dev === dev &&
      (via === undefined ? hop.via === undefined : hop.via !== undefined && sameAddress(hop.via, via)),
  );
