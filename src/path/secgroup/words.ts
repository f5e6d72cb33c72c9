import { parseCidr } from '../addresses.ts';
import type {
  Allowed,
  Denied,
  Direction,
  Exemption,
  Miss,
  Probe,
  RuleRef,
  SecurityGroupRule,
  Verdict,
} from './model.ts';
import { familyOfRule, protocolNumber } from './rule.ts';

const short = (id: string): string => id.slice(0, 8);

const ends = (direction: Direction): 'from' | 'to' => (direction === 'ingress' ? 'from' : 'to');

/** `tcp/22`, `udp`, `icmp`, `icmp type 3 code 4`, `icmp (IPv6)`. A ping is just `icmp`. */
export function nameOfProbe(probe: Probe): string {
  const family = probe.family === 6 ? ' (IPv6)' : '';
  if (probe.protocol !== 'icmp') {
    return `${probe.protocol}${probe.port === undefined ? '' : `/${probe.port}`}${family}`;
  }
  const echo = probe.family === 4 ? 8 : 128;
  if (probe.icmpType === undefined || probe.icmpType === echo) return `icmp${family}`;
  return `icmp type ${probe.icmpType}${probe.icmpCode === undefined ? '' : ` code ${probe.icmpCode}`}${family}`;
}

const nameOfPackets = (probe: Probe): string =>
  `${nameOfProbe(probe)} ${ends(probe.direction)} ${probe.remote ?? 'anywhere'}`;

/** `group web (rule e4465c0f)`; several rules are grouped. */
function nameOfRules(refs: readonly RuleRef[]): string {
  const byGroup = new Map<string, { readonly name: string; readonly rules: string[] }>();
  for (const { group, rule } of refs) {
    const entry = byGroup.get(group.id) ?? { name: group.name, rules: [] };
    entry.rules.push(short(rule.id));
    byGroup.set(group.id, entry);
  }
  return [...byGroup.values()]
    .map(({ name, rules }) => `group ${name} (${rules.length > 1 ? 'rules' : 'rule'} ${rules.join(', ')})`)
    .join(' and ');
}

/** What one rule lets through, in the words of `openstack security group rule list`: `tcp/22 from 10.0.0.0/8`. */
export function nameOfRule(rule: SecurityGroupRule): string {
  const number = protocolNumber(rule.protocol, familyOfRule(rule));
  const protocol = number === 'any' ? 'every protocol' : String(rule.protocol);
  return `${protocol}${portWords(rule, number)} ${ends(rule.direction)} ${remoteWords(rule)}`;
}

function portWords(rule: SecurityGroupRule, number: number | 'any' | undefined): string {
  if (rule.portMin === null || number === 'any') return '';
  if (number === 1 || number === 58) {
    return ` type ${rule.portMin}${rule.portMax === null ? '' : ` code ${rule.portMax}`}`;
  }
  return `/${rule.portMin}${rule.portMax === null || rule.portMax === rule.portMin ? '' : `-${rule.portMax}`}`;
}

function remoteWords(rule: SecurityGroupRule): string {
  if (rule.remoteGroupId) return `members of group ${short(rule.remoteGroupId)}`;
  if (rule.remoteAddressGroupId) return `address group ${short(rule.remoteAddressGroupId)}`;
  if (rule.remoteIpPrefix && parseCidr(rule.remoteIpPrefix)?.prefix !== 0) return rule.remoteIpPrefix;
  return rule.ethertype === 'IPv6' ? 'anywhere (IPv6)' : 'anywhere';
}

/** `icmp from anywhere allowed by group web (rule e4465c0f)` */
export function explainAllow(verdict: Allowed, probe: Probe): string {
  const packets = nameOfPackets(probe);
  if (verdict.because === 'exempt') return `${packets} allowed: ${EXEMPTION_WORDS[verdict.exemption]}`;
  if (verdict.extent === 'whole') return `${packets} allowed by ${nameOfRules(verdict.by)}`;
  const parts = verdict.by.map(({ rule }) => nameOfRule(rule)).join(', ');
  return `${packets} allowed only in part by ${nameOfRules(verdict.by)}: ${parts}`;
}

const EXEMPTION_WORDS: Readonly<Record<Exemption, string>> = {
  'port-security-off': 'port security is off',
  reply: 'a reply of a tracked connection is always let through',
  dhcp: 'DHCP of the port itself is always let through',
  'neighbour-discovery': 'IPv6 neighbour discovery is always let through',
};

/** `no rule of web lets tcp/22 in; nearest: rule 9f487a85 allows tcp/22 from 10.0.0.0/8` */
export function explainDeny(verdict: Denied, probe: Probe): string {
  const way = probe.direction === 'ingress' ? 'in' : 'out';
  switch (verdict.because) {
    case 'no-group':
      return 'the port has no security group while its port security is on: nothing gets in or out';
    case 'spoofed':
      return `port security lets nothing out from ${verdict.source}: it is neither an address of the port nor an allowed address pair`;
    case 'dhcp-server':
      return 'port security stops a DHCP server on an instance';
    case 'router-advertisement':
      return 'port security stops router advertisements from an instance';
    case 'no-rule': {
      const names = verdict.groups.map(({ name }) => name).join(' or ');
      const remote = probe.remote === undefined ? '' : ` ${ends(probe.direction)} ${probe.remote}`;
      const [nearest] = verdict.misses;
      const told = nearest ? `; ${explainMiss(nearest, probe)}` : '';
      return `no rule of ${names} lets ${nameOfProbe(probe)}${remote} ${way}${told}`;
    }
  }
}

/** What a rule lacks, as a clause: `nearest: rule 9f487a85 allows tcp/22 from 10.0.0.0/8`. */
export function explainMiss(miss: Miss, probe: Probe): string {
  const way = probe.direction === 'ingress' ? 'in' : 'out';
  if (miss.by === 'group-without-rules') return `group ${miss.group.name} has no rule for anything ${way}`;
  const { group, rule } = miss.of;
  const subject = `rule ${short(rule.id)} of ${group.name}`;
  switch (miss.by) {
    case 'remote':
      return `nearest: ${subject} allows only ${nameOfRule(rule)}`;
    case 'empty-remote-group':
      return `nearest: ${subject} allows it from members of group ${short(miss.remoteGroupId)}, which has none`;
    case 'port':
    case 'protocol':
      return `nearest: ${subject} allows ${nameOfRule(rule)}`;
    case 'ethertype':
      return `nearest: ${subject} allows it for ${rule.ethertype} only`;
    case 'direction':
      return `nearest: ${subject} allows it the other way, ${rule.direction}`;
  }
}

/** Any verdict as one sentence without a full stop. */
export function explainVerdict(verdict: Verdict, probe: Probe): string {
  switch (verdict.kind) {
    case 'allowed':
      return explainAllow(verdict, probe);
    case 'denied':
      return explainDeny(verdict, probe);
    case 'depends': {
      const members = verdict.on.map(({ group, rule }) => `${nameOfRule(rule)} (group ${group.name})`);
      const unseen = verdict.unseenGroups.map((id) => `the rules of group ${short(id)}`);
      return `${nameOfPackets(probe)} depends on ${[...members, ...unseen].join(', ')}`;
    }
  }
}
