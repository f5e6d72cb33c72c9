import type { Flow } from '../../nodes/parse/flows.ts';
import {
  cidrContains,
  type Family,
  familyOf,
  linkLocal,
  normalCidr,
  parseCidr,
  sameCidr,
  sameMac,
} from '../addresses.ts';
import type { Direction, RuleRef, SecurityGroupRule } from '../secgroup/model.ts';
import { remoteGroupOf } from '../secgroup/rule.ts';
import {
  type Enforcement,
  type ExtraRule,
  type MissingRule,
  type NotEnforced,
  type WantedFirewall,
  wantedRules,
} from './enforcement.ts';
import { protocolNumber, standsForEveryProtocol } from './packet.ts';

/** Tables of br-int that the OVS firewall uses (neutron_lib ovs_constants). */
const TRANSIENT = 60;
const BASE_EGRESS = 71;
const ACCEPT_OR_INGRESS = 73;
const BASE_INGRESS = 81;
const RULES: Readonly<Record<Direction, number>> = { egress: 72, ingress: 82 };

/** States a packet of a connection may be in that no reply has been seen of (openvswitch_firewall/rules.py CT_STATES). */
const NEW = '+new-est';
const ESTABLISHED = '+est-rel-rpl';

export interface NativeNode {
  /** `ovs-ofctl dump-flows br-int`. */
  readonly flows: readonly Flow[];
  /** OpenFlow number of the port's device; found by the port's MAC when left out. */
  readonly ofport?: number;
}

/**
 * Compares the flows that the OVS agent's native firewall put into br-int for a port with what the API says. What
 * neutron/agent/linux/openvswitch_firewall makes of a rule may be many flows (port ranges become bit masks, remote
 * groups become conjunctions), so the flows are read for what they let through, and that is compared.
 */
export function compareNative(wanted: WantedFirewall, node: NativeNode): Enforcement {
  const ofport = node.ofport ?? ofportByMac(node.flows, wanted.security.mac);
  const entry = node.flows.find((flow) => flow.table === TRANSIENT && flow.match.in_port === String(ofport));
  if (ofport === undefined || !entry) {
    return wanted.security.enabled
      ? { ...NOTHING, chainsMissing: [`br-int table ${TRANSIENT}: no flow for the port of ${wanted.security.mac}`] }
      : NOTHING;
  }
  const filtered = goesTo(entry, BASE_EGRESS);
  if (!wanted.security.enabled) {
    return filtered ? { ...NOTHING, extra: [extraFlow(entry, 'drops')] } : NOTHING;
  }
  const notEnforced: NotEnforced[] = [];
  if (!filtered) notEnforced.push({ by: 'unfiltered', where: `br-int table ${TRANSIENT}`, raw: entry.raw });

  const mine = node.flows.filter((flow) => isOfPort(flow, ofport));
  const missing: MissingRule[] = [];
  const extra: ExtraRule[] = [];
  const found: RuleRef[] = [];
  const undecided: RuleRef[] = [];
  for (const direction of ['ingress', 'egress'] as const) {
    const refs = wantedRules(wanted).filter(({ rule }) => rule.direction === direction);
    const lets = letThrough(mine, direction, wanted.family, ofport);
    for (const of of refs) {
      const outcome = lookFor(of, lets, mine, node.flows, wanted, ofport);
      if (outcome.kind === 'found') found.push(of);
      else if (outcome.kind === 'undecided') undecided.push(of);
      else missing.push(missingFlow(of, outcome.expected, lets));
    }
    for (const flow of lets) {
      if (!refs.some((of) => explains(of.rule, flow, wanted.family))) extra.push(extraFlow(flow.flow, 'lets through'));
    }
  }
  return {
    missing,
    extra,
    chainsMissing: [],
    notEnforced,
    baseMissing: missingBaseFlows(mine, node.flows, wanted, ofport),
    found,
    undecided,
  };
}

const NOTHING: Enforcement = {
  missing: [],
  extra: [],
  chainsMissing: [],
  notEnforced: [],
  baseMissing: [],
  found: [],
  undecided: [],
};

/** The OpenFlow port whose flows carry this MAC as the sender that port security allows. */
export function ofportByMac(flows: readonly Flow[], mac: string): number | undefined {
  for (const { table, match } of flows) {
    if (table === BASE_EGRESS && match.in_port && match.dl_src && sameMac(match.dl_src, mac))
      return Number(match.in_port);
  }
  return undefined;
}

const isOfPort = (flow: Flow, ofport: number): boolean =>
  Number(flow.match.reg5) === ofport || flow.match.in_port === String(ofport);

/** `resubmit(,71)`, or `goto_table:71` where OpenFlow 1.3 is spoken. */
const goesTo = (flow: Flow, table: number): boolean =>
  new RegExp(`resubmit\\(,${table}\\)|goto_table:${table}\\b`).test(flow.actions);

const outputsTo = (flow: Flow, ofport: number): boolean =>
  new RegExp(`(?:^|[,(])output:${ofport}(?![\\d])`).test(flow.actions);

const extraFlow = (flow: Flow, effect: ExtraRule['effect']): ExtraRule => ({
  where: `br-int table ${flow.table}`,
  raw: flow.raw,
  packets: flow.packets,
  effect,
});

// What one flow lets through.

interface Ports {
  readonly from: number;
  readonly to: number;
}

const EVERY_PORT: Ports = { from: 0, to: 0xffff };

/** A flow for new connections: protocol, the other end, ports (or ICMP type and code as one number). */
interface Let {
  readonly flow: Flow;
  readonly direction: Direction;
  readonly state: typeof NEW | typeof ESTABLISHED;
  readonly protocol: number | undefined;
  readonly remote: string | undefined;
  readonly ports: readonly Ports[];
  /** Set when the other end is a conjunction's business. */
  readonly conjunction: number | undefined;
}

const WORDS: Readonly<Record<string, readonly [Family, number | undefined]>> = {
  ip: [4, undefined],
  ipv6: [6, undefined],
  tcp: [4, 6],
  udp: [4, 17],
  icmp: [4, 1],
  sctp: [4, 132],
  tcp6: [6, 6],
  udp6: [6, 17],
  icmp6: [6, 58],
  sctp6: [6, 132],
};

function protocolOfFlow(flow: Flow): { readonly family: Family; readonly protocol: number | undefined } | undefined {
  for (const [word, [family, protocol]] of Object.entries(WORDS)) {
    if (flow.match[word] !== '') continue;
    const number = flow.match.nw_proto ?? flow.match.ip_proto;
    return { family, protocol: number === undefined ? protocol : Number(number) };
  }
  const type = Number(flow.match.dl_type ?? flow.match.eth_type);
  const family = type === 0x0800 ? 4 : type === 0x86dd ? 6 : undefined;
  const number = flow.match.nw_proto ?? flow.match.ip_proto;
  return family && { family, protocol: number === undefined ? undefined : Number(number) };
}

/** A value under a mask of leading ones, as Neutron makes them of port ranges, is a range. */
function rangeOf(text: string): Ports | undefined {
  const [value, mask = 0xffff] = text.split('/').map(Number);
  if (value === undefined || Number.isNaN(value) || Number.isNaN(mask)) return undefined;
  const low = value & mask;
  const rest = ~mask & 0xffff;
  return (rest & (rest + 1)) === 0 ? { from: low, to: low | rest } : undefined;
}

function portsOfFlow(flow: Flow, protocol: number | undefined): Ports | undefined {
  const { match } = flow;
  if (protocol === 1 || protocol === 58) {
    const type = match.icmp_type ?? match.icmpv6_type;
    const code = match.icmp_code ?? match.icmpv6_code;
    return icmpPorts(type === undefined ? null : Number(type), code === undefined ? null : Number(code));
  }
  const text = match.tp_dst ?? match.tcp_dst ?? match.udp_dst ?? match.sctp_dst;
  return text === undefined ? EVERY_PORT : rangeOf(text);
}

function icmpPorts(type: number | null, code: number | null): Ports {
  if (type === null) return EVERY_PORT;
  const low = type * 256;
  return code === null ? { from: low, to: low + 255 } : { from: low + code, to: low + code };
}

/** The flows of the port's rules table that let something through that is not a reply. */
function letThrough(mine: readonly Flow[], direction: Direction, family: Family, ofport: number): readonly Let[] {
  return mine.flatMap((flow) => {
    if (flow.table !== RULES[direction] || !passes(flow, direction, ofport)) return [];
    const read = readFlow(flow, direction);
    return read?.family === family ? [read.let] : [];
  });
}

const passes = (flow: Flow, direction: Direction, ofport: number): boolean =>
  direction === 'ingress' ? outputsTo(flow, ofport) || /NORMAL/i.test(flow.actions) : goesTo(flow, ACCEPT_OR_INGRESS);

function readFlow(flow: Flow, direction: Direction): { readonly family: Family; readonly let: Let } | undefined {
  const state = stateOf(flow);
  const about = protocolOfFlow(flow);
  if (!state || !about) return undefined;
  const ports = portsOfFlow(flow, about.protocol);
  if (!ports) return undefined;
  const { match } = flow;
  const remote = direction === 'ingress' ? (match.nw_src ?? match.ipv6_src) : (match.nw_dst ?? match.ipv6_dst);
  const conjunction = match.conj_id === undefined ? undefined : Number(match.conj_id);
  const lets: Let = { flow, direction, state, protocol: about.protocol, remote, ports: [ports], conjunction };
  return { family: about.family, let: lets };
}

/** `+new-est` and `+est-rel-rpl`, whatever order and `+trk` the release prints; undefined for replies and the rest. */
function stateOf(flow: Flow): Let['state'] | undefined {
  const flags = new Set(flow.match.ct_state?.match(/[+-][a-z]+/g) ?? []);
  if (flags.has('+new') && !flags.has('+est')) return NEW;
  return flags.has('+est') && flags.has('-rpl') ? ESTABLISHED : undefined;
}

// A rule of the API in flows.

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

function lookFor(
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

const FLOW_WORDS: Readonly<Record<Family, Readonly<Record<number, string>>>> = {
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

function missingFlow(of: RuleRef, expected: readonly string[], lets: readonly Let[]): MissingRule {
  const protocol = protocolOfRule(of.rule, of.rule.ethertype === 'IPv4' ? 4 : 6);
  const instead = lets.filter((flow) => flow.protocol === protocol).map(({ flow }) => flow.raw);
  return { of, expected, where: `br-int table ${RULES[of.rule.direction]}`, instead };
}

/** Does the rule let everything through that the flow lets through? */
function explains(rule: SecurityGroupRule, flow: Let, family: Family): boolean {
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

// What every port has besides.

function missingBaseFlows(
  mine: readonly Flow[],
  flows: readonly Flow[],
  wanted: WantedFirewall,
  ofport: number,
): readonly string[] {
  const { security, family } = wanted;
  const reg = `reg5=0x${ofport.toString(16)}`;
  const some = (table: number, test: (flow: Flow) => boolean): boolean =>
    mine.some((flow) => flow.table === table && test(flow));
  const about = (flow: Flow, protocol?: number): boolean => {
    const read = protocolOfFlow(flow);
    return read?.family === family && read.protocol === protocol;
  };
  const needs: (readonly [string, boolean])[] = [];

  const delivered = flows.some(
    ({ table, match, actions }) =>
      table === TRANSIENT &&
      match.dl_dst !== undefined &&
      sameMac(match.dl_dst, security.mac) &&
      new RegExp(`(?:resubmit\\(,|goto_table:)${BASE_INGRESS}\\b`).test(actions),
  );
  needs.push([`table=${TRANSIENT},dl_dst=${security.mac} actions=…,resubmit(,${BASE_INGRESS})`, delivered]);

  const ip = family === 4 ? 'ip' : 'ipv6';
  const source = family === 4 ? 'nw_src' : 'ipv6_src';
  for (const pair of pairsOf(wanted)) {
    const allowed = some(
      BASE_EGRESS,
      (flow) =>
        about(flow) &&
        sameMac(flow.match.dl_src ?? '', pair.mac) &&
        sameCidr(flow.match[source] ?? '0.0.0.0/0', pair.ip) &&
        flow.actions.includes(`ct(table=${RULES.egress}`),
    );
    const match = `${ip},${reg},in_port=${ofport},dl_src=${pair.mac},${source}=${pair.ip}`;
    needs.push([`table=${BASE_EGRESS},${match} actions=ct(table=${RULES.egress},…)`, allowed]);
    if (family === 6) continue;
    const arp = some(
      BASE_EGRESS,
      ({ match: { arp: word, arp_spa: spa, dl_src: sender } }) =>
        word === '' && sameCidr(spa ?? '0.0.0.0/0', pair.ip) && sameMac(sender ?? '', pair.mac),
    );
    needs.push([`table=${BASE_EGRESS},arp,${reg},dl_src=${pair.mac},arp_spa=${pair.ip} actions=resubmit(,94)`, arp]);
  }

  const [client, server] = family === 4 ? ['68', '67'] : ['546', '547'];
  const udp = FLOW_WORDS[family][17];
  const isDhcp = (flow: Flow, from: string | undefined, to: string | undefined): boolean =>
    about(flow, 17) && flow.match.tp_src === from && flow.match.tp_dst === to && !goesTo(flow, 93);
  const asks = some(BASE_EGRESS, (flow) => isDhcp(flow, client, server));
  // Without an address of the family there is nothing to ask DHCPv6 for but the link-local one.
  if (family === 4 || pairsOf(wanted).length > 0) {
    needs.push([`table=${BASE_EGRESS},${udp},${reg},tp_src=${client},tp_dst=${server} actions=resubmit(,73)`, asks]);
  }
  const answers = some(BASE_INGRESS, (flow) => isDhcp(flow, server, client));
  needs.push([
    `table=${BASE_INGRESS},${udp},${reg},tp_src=${server},tp_dst=${client} actions=output:${ofport}`,
    answers,
  ]);

  for (const direction of ['ingress', 'egress'] as const) {
    const replies = some(
      RULES[direction],
      ({ match, actions }) =>
        /\+est/.test(match.ct_state ?? '') && /\+rpl/.test(match.ct_state ?? '') && actions !== 'drop',
    );
    needs.push([`table=${RULES[direction]},ct_state=+est-rel+rpl,${reg} actions=…`, replies]);
  }
  return needs.filter(([, there]) => !there).map(([text]) => text);
}

function pairsOf({ security, family }: WantedFirewall): readonly { readonly mac: string; readonly ip: string }[] {
  const pairs = [
    ...security.fixedIps.map((ip) => ({ ip, mac: security.mac })),
    ...security.allowedAddressPairs.map(({ ip, mac }) => ({ ip, mac: mac ?? security.mac })),
  ].filter(({ ip }) => familyOf(ip) === family);
  const local = family === 6 ? linkLocal(security.mac) : undefined;
  return local ? [...pairs, { ip: local, mac: security.mac }] : pairs;
}
