import type { IptablesChain, IptablesRule } from '../../../nodes/parse/iptables.ts';
import { cidrContains, type Family, familyOf, ipsetName, normalCidr, parseCidr } from '../../addresses.ts';
import type { RuleRef, SecurityGroupRule } from '../../secgroup/model.ts';
import { remoteGroupOf } from '../../secgroup/rule.ts';
import type { MissingRule, WantedFirewall } from '../enforcement.ts';
import { protocolNumber, standsForEveryProtocol } from '../packet.ts';
import type { IptablesNode } from './node.ts';

/** The parts of a rule that decide what it lets through. */
interface Meaning {
  readonly protocol: number | undefined;
  readonly source: string | undefined;
  readonly destination: string | undefined;
  readonly ports: string | undefined;
  readonly icmp: string | undefined;
  readonly set: string | undefined;
}

const sameMeaning = (a: Meaning, b: Meaning): boolean =>
  a.protocol === b.protocol &&
  a.source === b.source &&
  a.destination === b.destination &&
  a.ports === b.ports &&
  a.icmp === b.icmp &&
  a.set === b.set;

/** Undefined for every address. */
export function network(cidr: string | null | undefined): string | undefined {
  return cidr && parseCidr(cidr)?.prefix !== 0 ? normalCidr(cidr) : undefined;
}

/** Undefined when the rule matches on something that no rule of a security group can match on. */
function meaningOf(rule: IptablesRule, family: Family): Meaning | undefined {
  const foreign =
    rule.negated.length > 0 ||
    rule.otherMatches.length > 0 ||
    [rule.in, rule.out, rule.physdevIn, rule.physdevOut, rule.macSource, rule.ctstate, rule.sport, rule.mark].some(
      (match) => match !== undefined,
    );
  if (foreign) return undefined;
  const every = rule.protocol === undefined || standsForEveryProtocol(rule.protocol);
  return {
    protocol: every ? undefined : protocolNumber(rule.protocol ?? '', family),
    source: network(rule.source),
    destination: network(rule.destination),
    ports: rule.dport?.map(({ from, to }) => `${from}:${to}`).join(','),
    icmp: rule.icmpType === 'any' ? undefined : rule.icmpType,
    set: rule.matchSet && `${rule.matchSet.name} ${rule.matchSet.directions}`,
  };
}

function protocolOf(rule: SecurityGroupRule, family: Family): number | undefined {
  if (rule.protocol === null || standsForEveryProtocol(String(rule.protocol))) return undefined;
  // To iptables protocol 0 is every protocol, whatever its name.
  if (rule.protocol === 'hopopt') return undefined;
  return protocolNumber(String(rule.protocol), family);
}

function wantedMeaning(rule: SecurityGroupRule, family: Family, remote: { prefix?: string; set?: string }): Meaning {
  const protocol = protocolOf(rule, family);
  const isIcmp = protocol === 1 || protocol === 58;
  const prefix = network(remote.prefix);
  const code = rule.portMax === null ? '' : `/${rule.portMax}`;
  const inward = rule.direction === 'ingress';
  return {
    protocol,
    source: inward ? prefix : undefined,
    destination: inward ? undefined : prefix,
    ports: isIcmp || rule.portMin === null ? undefined : `${rule.portMin}:${rule.portMax ?? rule.portMin}`,
    icmp: isIcmp && rule.portMin !== null ? `${rule.portMin}${code}` : undefined,
    set: remote.set && `${remote.set} ${inward ? 'src' : 'dst'}`,
  };
}

/** Names of /etc/protocols, which iptables prints for numbers. */
const PROTOCOL_NAMES: Readonly<Record<number, string>> = {
  1: 'icmp',
  2: 'igmp',
  4: 'ipencap',
  6: 'tcp',
  8: 'egp',
  17: 'udp',
  33: 'dccp',
  41: 'ipv6',
  46: 'rsvp',
  47: 'gre',
  50: 'esp',
  51: 'ah',
  58: 'ipv6-icmp',
  89: 'ospf',
  112: 'vrrp',
  132: 'sctp',
  136: 'udplite',
};

/** Match modules that iptables adds of itself when a port or a type is given (neutron_lib IPTABLES_PROTOCOL_MAP). */
const MODULES: Readonly<Record<number, string>> = {
  1: 'icmp',
  6: 'tcp',
  17: 'udp',
  33: 'dccp',
  58: 'icmp6',
  132: 'sctp',
};

/** The rule as iptables-save prints it, without comment. */
function textOf(meaning: Meaning, chain: string): string {
  const words = ['-A', chain];
  if (meaning.source) words.push('-s', meaning.source);
  if (meaning.destination) words.push('-d', meaning.destination);
  if (meaning.protocol !== undefined) {
    words.push('-p', PROTOCOL_NAMES[meaning.protocol] ?? String(meaning.protocol));
    const module = MODULES[meaning.protocol];
    if (module && (meaning.icmp ?? meaning.ports) !== undefined) words.push('-m', module);
    if (meaning.icmp !== undefined) words.push(meaning.protocol === 58 ? '--icmpv6-type' : '--icmp-type', meaning.icmp);
    if (meaning.ports !== undefined) {
      const [from, to] = meaning.ports.split(':');
      // UDP-Lite has no module of its own and is always matched by multiport.
      if (from === to) words.push(...(module ? ['--dport'] : ['-m', 'multiport', '--dports']), from ?? '');
      else words.push('-m', 'multiport', '--dports', meaning.ports);
    }
  }
  if (meaning.set) words.push('-m', 'set', '--match-set', ...meaning.set.split(' '));
  return [...words, '-j', 'RETURN'].join(' ');
}

type Outcome =
  | { readonly kind: 'found'; readonly explained: readonly IptablesRule[] }
  | { readonly kind: 'undecided'; readonly explained: readonly IptablesRule[] }
  | { readonly kind: 'missing'; readonly explained: readonly IptablesRule[]; readonly expected: readonly string[] };

/** Looks for one API rule among the rules of a chain that let something through. */
export function lookFor(
  of: RuleRef,
  passes: readonly IptablesRule[],
  wanted: WantedFirewall,
  node: IptablesNode,
): Outcome {
  const { rule } = of;
  const chain = passes[0]?.chain ?? '';
  const search = (meaning: Meaning): readonly IptablesRule[] =>
    passes.filter((candidate) => {
      const found = meaningOf(candidate, wanted.family);
      return found !== undefined && sameMeaning(found, meaning);
    });
  const groupId = remoteGroupOf(rule);
  if (groupId === undefined) {
    const meaning = wantedMeaning(rule, wanted.family, rule.remoteIpPrefix ? { prefix: rule.remoteIpPrefix } : {});
    const explained = search(meaning);
    if (explained.length > 0) return { kind: 'found', explained };
    return { kind: 'missing', explained, expected: [textOf(meaning, chain)] };
  }

  const members = wanted.membersOf?.(groupId)?.filter((member) => familyOf(member) === wanted.family);
  const set = ipsetName(groupId, wanted.family);
  const bySet = wantedMeaning(rule, wanted.family, { set });
  const explained = search(bySet);
  if (explained.length > 0) {
    const inSet = node.setMembers?.(set);
    if (!members || !inSet) return { kind: 'found', explained };
    const entries = new Set(inSet.map(normalCidr));
    const absent = members.filter(
      (member) => !entries.has(normalCidr(member)) && !inSet.some((entry) => cidrContains(entry, member)),
    );
    if (absent.length === 0) return { kind: 'found', explained };
    return { kind: 'missing', explained, expected: absent.map((member) => `add ${set} ${member}`) };
  }
  // Without ipset the agent makes one rule for each member that is not the port itself.
  if (!members) {
    const perMember = passes.filter((candidate) => looksLikeMemberRule(candidate, rule, wanted.family));
    return { kind: 'undecided', explained: perMember };
  }
  const others = members.filter((member) => !wanted.security.fixedIps.includes(member));
  const meanings = others.map((prefix) => wantedMeaning(rule, wanted.family, { prefix }));
  const perMember = meanings.map(search);
  if (perMember.every((rules) => rules.length > 0)) return { kind: 'found', explained: perMember.flat() };
  if (perMember.every((rules) => rules.length === 0)) {
    return { kind: 'missing', explained: [], expected: [textOf(bySet, chain)] };
  }
  const expected = meanings.filter((_, at) => perMember[at]?.length === 0).map((meaning) => textOf(meaning, chain));
  return { kind: 'missing', explained: perMember.flat(), expected };
}

function looksLikeMemberRule(candidate: IptablesRule, rule: SecurityGroupRule, family: Family): boolean {
  const found = meaningOf(candidate, family);
  if (!found) return false;
  const bare = wantedMeaning(rule, family, {});
  return sameMeaning({ ...found, source: undefined, destination: undefined }, bare);
}

/** An API rule that the chain lacks, and what it has of the same protocol instead. */
export function missingRule(of: RuleRef, expected: readonly string[], chain: IptablesChain): MissingRule {
  const family = of.rule.ethertype === 'IPv4' ? 4 : 6;
  const protocol = protocolOf(of.rule, family);
  const instead = chain.rules
    .filter((rule) => rule.target === 'RETURN' && rule.sport === undefined && rule.protocol !== undefined)
    .filter((rule) => protocolNumber(rule.protocol ?? '', family) === protocol)
    .map(({ raw }) => raw);
  const named = expected.map((text) => text.replace(/^-A (?=-)/, `-A ${chain.name} `));
  return { of, expected: named, where: `filter ${chain.name}`, instead };
}
