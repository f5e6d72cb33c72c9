import { type Address, type Cidr, type Family, parseCidr } from '../addresses.ts';
import type { MembersOf, Probe, RuleRef, SecurityGroup, SecurityGroupRule } from './model.ts';
import type { Range, Space } from './rectangle.ts';

const EVERY_PORT: Range<number> = { low: 0, high: 0xffff };

/** ICMP type and code as one number, so that "every code of type 3" is a range just like ports 768–1023. */
function icmpRange(type: number | null | undefined, code: number | null | undefined): Range<number> {
  if (type === null || type === undefined) return EVERY_PORT;
  const low = type * 256;
  return code === null || code === undefined ? { low, high: low + 255 } : { low: low + code, high: low + code };
}

/** All packets of a probe. @throws TypeError when `probe.remote` is not of its family */
export function spaceOfProbe(probe: Probe): Space {
  const text = probe.remote ?? (probe.family === 4 ? '0.0.0.0/0' : '::/0');
  const remote = parseCidr(text);
  if (remote?.family !== probe.family) throw new TypeError(`${text} is no IPv${probe.family} address or network`);
  const addresses = { low: remote.first, high: remote.last };
  if (probe.protocol === 'icmp') return { ports: icmpRange(probe.icmpType, probe.icmpCode), addresses };
  return { ports: { low: probe.port ?? 1, high: probe.port ?? 0xffff }, addresses };
}

const PROTOCOL_NUMBERS: Readonly<Record<string, number>> = {
  icmp: 1,
  tcp: 6,
  udp: 17,
  icmpv6: 58,
  'ipv6-icmp': 58,
};

/**
 * The protocol number of a rule. null, `any`, `ip` and 0 stand for every protocol (iptables has no `-p` for them);
 * ICMP of an IPv6 rule is ICMPv6 under any of its names (neutron IPV6_ICMP_LEGACY_PROTO_LIST, and 1 for 58).
 * Undefined: a protocol we do not know by this name; none of ours.
 */
export function protocolNumber(protocol: SecurityGroupRule['protocol'], family: Family): number | 'any' | undefined {
  if (protocol === null) return 'any';
  const text = String(protocol).trim().toLowerCase();
  if (text === '' || text === 'any' || text === 'ip' || text === '0') return 'any';
  const number = /^\d+$/.test(text) ? Number(text) : PROTOCOL_NUMBERS[text];
  return family === 6 && number === 1 ? 58 : number;
}

const numberOfProbe = (probe: Probe, family: Family): number | 'any' | undefined =>
  protocolNumber(probe.protocol, family);

export const familyOfRule = (rule: SecurityGroupRule): Family => (rule.ethertype === 'IPv6' ? 6 : 4);

/** Ports (ICMP types and codes) that a rule names for its protocol. */
export function portsOf(rule: SecurityGroupRule): Range<number> {
  const number = protocolNumber(rule.protocol, familyOfRule(rule));
  if (number === 'any') return EVERY_PORT;
  if (number === 1 || number === 58) return icmpRange(rule.portMin, rule.portMax);
  return { low: rule.portMin ?? 0, high: rule.portMax ?? 0xffff };
}

/** The ports a rule lets through for this probe's direction, family and protocol; undefined when it is about others. */
export function portsLetThrough(rule: SecurityGroupRule, probe: Probe): Range<number> | undefined {
  if (rule.direction !== probe.direction || familyOfRule(rule) !== probe.family) return undefined;
  return speaksOf(rule, probe) ? portsOf(rule) : undefined;
}

export function speaksOf(rule: SecurityGroupRule, probe: Probe): boolean {
  const number = protocolNumber(rule.protocol, familyOfRule(rule));
  return number === 'any' || number === numberOfProbe(probe, familyOfRule(rule));
}

/** The id of the group, of ports or of addresses, that a rule takes its remote addresses from. */
export function remoteGroupOf(rule: SecurityGroupRule): string | undefined {
  return rule.remoteGroupId ?? rule.remoteAddressGroupId ?? undefined;
}

export function remotesOf(rule: SecurityGroupRule, membersOf: MembersOf): readonly Range<bigint>[] | 'unknown' {
  const family = familyOfRule(rule);
  const groupId = remoteGroupOf(rule);
  if (groupId !== undefined) {
    const members = membersOf(groupId);
    return members ? members.flatMap((text) => rangesOf(parseCidr(text), family)) : 'unknown';
  }
  return rangesOf(parseCidr(rule.remoteIpPrefix ?? (family === 4 ? '0.0.0.0/0' : '::/0')), family);
}

function rangesOf(cidr: Cidr | undefined, family: Address['family']): readonly Range<bigint>[] {
  return cidr?.family === family ? [{ low: cidr.first, high: cidr.last }] : [];
}

/** All rules, each with the group it is of. */
export const refsOf = (groups: readonly SecurityGroup[]): readonly RuleRef[] =>
  groups.flatMap((group) => group.rules.map((rule) => ({ group: { id: group.id, name: group.name }, rule })));
