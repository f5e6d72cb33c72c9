import type { Flow } from '../../../nodes/parse/flows.ts';
import { cidrContains, type Family, familyOf, normalCidr, parseCidr } from '../../addresses.ts';
import type { Direction, RuleRef, SecurityGroupRule } from '../../secgroup/model.ts';
import { remoteGroupOf } from '../../secgroup/rule.ts';
import type { MissingRule, WantedFirewall } from '../enforcement.ts';
import { protocolNumber, standsForEveryProtocol } from '../packet.ts';
import {
  ACCEPT_OR_INGRESS,
  ESTABLISHED,
  EVERY_PORT,
  icmpPorts,
  type Let,
  NEW,
  type Ports,
  RULES,
  readFlow,
} from './flows.ts';

function protocolOfRule(rule: SecurityGroupRule, family: Family): number | undefined {
  if (rule.protocol === null || standsForEveryProtocol(String(rule.protocol))) return undefined;
  return protocolNumber(String(rule.protocol), family);
}

function portsOfRule(rule: SecurityGroupRule, family: Family): Ports {
  const protocol = protocolOfRule(rule, family);
  if (protocol === undefined) return EVERY_PORT;
  if (protocol === 1 || protocol === 58) return icmpPorts(rule.portMin, rule.portMax);
  // Only protocols that have ports of their own carry them into flows (PROTOCOLS_WITH_PORTS).
  const withPorts = [6, 17, 132].includes(protocol);
  return withPorts && rule.portMin !== null ? { from: rule.portMin, to: rule.portMax ?? rule.portMin } : EVERY_PORT;
}

const remoteOfRule = (rule: SecurityGroupRule): string | undefined =>
  rule.remoteIpPrefix && parseCidr(rule.remoteIpPrefix)?.prefix !== 0 ? normalCidr(rule.remoteIpPrefix) : undefined;

type Outcome =
  | { readonly kind: 'found' }
  | { readonly kind: 'undecided' }
  | { readonly kind: 'missing'; readonly expected: readonly string[] };

/** Looks for the flows of one API rule. */
export function lookFor(
  of: RuleRef,
  lets: readonly Let[],
  mine: readonly Flow[],
  flows: readonly Flow[],
  wanted: WantedFirewall,
  ofport: number,
): Outcome {
  const { rule } = of;
  const group = remoteGroupOf(rule);
  if (group !== undefined) return lookForGroup(rule, group, lets, mine, flows, wanted, ofport);
  const remote = remoteOfRule(rule);
  const expected: string[] = [];
  for (const state of [NEW, ESTABLISHED] as const) {
    const covering = lets.filter(
      (flow) =>
        flow.state === state &&
        flow.conjunction === undefined &&
        coversProtocol(flow, rule, wanted.family) &&
        (flow.remote === undefined || (remote !== undefined && cidrContains(flow.remote, remote))),
    );
    if (!coversPorts(covering, portsOfRule(rule, wanted.family))) {
      expected.push(expectedFlow(rule, wanted.family, state, ofport, remote));
    }
  }
  return expected.length === 0 ? { kind: 'found' } : { kind: 'missing', expected };
}

const coversProtocol = (flow: Pick<Let, 'protocol'>, rule: SecurityGroupRule, family: Family): boolean =>
  flow.protocol === undefined || flow.protocol === protocolOfRule(rule, family);

function coversPorts(flows: readonly Pick<Let, 'ports'>[], asked: Ports): boolean {
  // Port 0 is no port: Neutron writes "every port" as 1-65535 when it merges ranges.
  let next = asked.from === 0 && asked.to === 0xffff ? 1 : asked.from;
  const ranges = flows.flatMap(({ ports }) => ports).sort((a, b) => a.from - b.from);
  for (const { from, to } of ranges) {
    if (from > next || next > asked.to) break;
    next = Math.max(next, to + 1);
  }
  return next > asked.to;
}

/** A conjunction: one side (2/2) names port and protocol, the other (1/2) each member, and conj_id lets through. */
function lookForGroup(
  rule: SecurityGroupRule,
  group: string,
  lets: readonly Let[],
  mine: readonly Flow[],
  flows: readonly Flow[],
  wanted: WantedFirewall,
  ofport: number,
): Outcome {
  const members = wanted.membersOf?.(group)?.filter((member) => familyOf(member) === wanted.family);
  if (members?.length === 0) return { kind: 'found' };
  const sides = conjunctionSides(mine, rule.direction, wanted.family, 2).filter(({ let: flow }) =>
    coversProtocol(flow, rule, wanted.family),
  );
  const asked = portsOfRule(rule, wanted.family);
  const candidates = [...new Set(sides.flatMap(({ ids }) => ids))].filter(
    (id) =>
      lets.some(({ conjunction }) => conjunction === id) &&
      coversPorts(
        sides.filter(({ ids }) => ids.includes(id)).map(({ let: flow }) => flow),
        asked,
      ),
  );
  // Neutron takes an even number for established connections and the next for new ones (create_conj_flows).
  const pairs = candidates.filter((id) => id % 2 === 0 && candidates.includes(id + 1));
  if (pairs.length === 0) {
    const side = expectedMatch(rule, wanted.family, NEW, ofport, undefined);
    return { kind: 'missing', expected: [`table=${RULES[rule.direction]},${side} actions=conjunction(…,2/2)`] };
  }
  if (!members) return { kind: 'undecided' };
  const absent = absentees(flows, rule.direction, wanted.family, members);
  const [id, fewest] = pairs
    .map((pair) => [pair, absent(pair)] as const)
    .reduce((least, one) => (one[1].length < least[1].length ? one : least));
  if (fewest.length === 0) return { kind: 'found' };
  const field = remoteField(rule.direction, wanted.family);
  const ip = wanted.family === 4 ? 'ip' : 'ipv6';
  const expected = fewest.map(
    (member) => `table=${RULES[rule.direction]},${ip},${field}=${member} actions=conjunction(${id},1/2)`,
  );
  return { kind: 'missing', expected };
}

/** Flows that are one side of conjunctions, with the conjunctions' numbers. */
function conjunctionSides(
  flows: readonly Flow[],
  direction: Direction,
  family: Family,
  side: 1 | 2,
): readonly { readonly ids: readonly number[]; readonly let: Let }[] {
  return flows.flatMap((flow) => {
    if (flow.table !== RULES[direction] || !flow.actions.includes('conjunction(')) return [];
    const read = readFlow(flow, direction);
    if (read?.family !== family) return [];
    const ids = [...flow.actions.matchAll(/conjunction\((\d+),(\d)\/2\)/g)]
      .filter(([, , of]) => Number(of) === side)
      .map(([, id]) => Number(id));
    return ids.length === 0 ? [] : [{ ids, let: read.let }];
  });
}

/** Members whose addresses have no flow that is their side of a pair of conjunctions (for both states). */
function absentees(
  flows: readonly Flow[],
  direction: Direction,
  family: Family,
  members: readonly string[],
): (id: number) => readonly string[] {
  const exact = new Map<string, Set<number>>();
  const wide: { readonly remote: string; readonly ids: readonly number[] }[] = [];
  for (const { ids, let: side } of conjunctionSides(flows, direction, family, 1)) {
    const remote = side.remote ?? (family === 4 ? '0.0.0.0/0' : '::/0');
    if (parseCidr(remote)?.prefix !== (family === 4 ? 32 : 128)) wide.push({ remote, ids });
    const known = exact.get(normalCidr(remote)) ?? new Set();
    for (const id of ids) known.add(id);
    exact.set(normalCidr(remote), known);
  }
  const has = (member: string, id: number): boolean =>
    (exact.get(normalCidr(member))?.has(id) ?? false) ||
    wide.some(({ remote, ids }) => ids.includes(id) && cidrContains(remote, member));
  return (id) => members.filter((member) => !(has(member, id) && has(member, id + 1)));
}

function remoteField(direction: Direction, family: Family): string {
  if (direction === 'ingress') return family === 4 ? 'nw_src' : 'ipv6_src';
  return family === 4 ? 'nw_dst' : 'ipv6_dst';
}

export const FLOW_WORDS: Readonly<Record<Family, Readonly<Record<number, string>>>> = {
  4: { 1: 'icmp', 6: 'tcp', 17: 'udp', 132: 'sctp' },
  6: { 58: 'icmp6', 6: 'tcp6', 17: 'udp6', 132: 'sctp6' },
};

function expectedMatch(
  rule: SecurityGroupRule,
  family: Family,
  state: string,
  ofport: number,
  remote: string | undefined,
): string {
  const protocol = protocolOfRule(rule, family);
  const ip = family === 4 ? 'ip' : 'ipv6';
  const word = protocol === undefined ? ip : (FLOW_WORDS[family][protocol] ?? `${ip},nw_proto=${protocol}`);
  const words = [`ct_state=${state}`, word, `reg5=0x${ofport.toString(16)}`];
  if (remote !== undefined) words.push(`${remoteField(rule.direction, family)}=${remote.replace(/\/(32|128)$/, '')}`);
  const ports = portsOfRule(rule, family);
  if (protocol === 1 || protocol === 58) {
    if (rule.portMin !== null) words.push(`icmp_type=${rule.portMin}`);
    if (rule.portMin !== null && rule.portMax !== null) words.push(`icmp_code=${rule.portMax}`);
  } else if (ports !== EVERY_PORT) {
    words.push(`tp_dst=${ports.from}${ports.to === ports.from ? '' : `-${ports.to}`}`);
  }
  return words.join(',');
}

/** The flow as ovs-ofctl would print it; a range of ports is left a range, which Neutron spreads over several flows. */
function expectedFlow(
  rule: SecurityGroupRule,
  family: Family,
  state: typeof NEW | typeof ESTABLISHED,
  ofport: number,
  remote: string | undefined,
): string {
  const match = expectedMatch(rule, family, state, ofport, remote);
  const commit = state === NEW ? 'ct(commit,zone=NXM_NX_REG6[0..15]),' : '';
  const accept =
    rule.direction === 'egress'
      ? `resubmit(,${ACCEPT_OR_INGRESS})`
      : `${commit}output:${ofport}${state === NEW ? ',resubmit(,92)' : ''}`;
  return `table=${RULES[rule.direction]},${match} actions=${accept}`;
}

/** An API rule that the flows lack, and what there is of the same protocol instead. */
export function missingFlow(of: RuleRef, expected: readonly string[], lets: readonly Let[]): MissingRule {
  const protocol = protocolOfRule(of.rule, of.rule.ethertype === 'IPv4' ? 4 : 6);
  const instead = lets.filter((flow) => flow.protocol === protocol).map(({ flow }) => flow.raw);
  return { of, expected, where: `br-int table ${RULES[of.rule.direction]}`, instead };
}

/** Does the rule let everything through that the flow lets through? */
export function explains(rule: SecurityGroupRule, flow: Let, family: Family): boolean {
  // The accepting flow of a conjunction names no protocol; any rule with a remote group may have made it.
  if (flow.conjunction !== undefined) return remoteGroupOf(rule) !== undefined;
  const protocol = protocolOfRule(rule, family);
  if (protocol !== undefined && protocol !== flow.protocol) return false;
  if (remoteGroupOf(rule) !== undefined) return false;
  const remote = remoteOfRule(rule);
  if (remote !== undefined && !(flow.remote !== undefined && cidrContains(remote, flow.remote))) return false;
  const { from, to } = portsOfRule(rule, family);
  return flow.ports.every((range) => from <= range.from && range.to <= to);
}
