import { type Address, type Cidr, cidrContains, type Family, parseCidr, sameMac } from './addresses.ts';

export type Direction = 'ingress' | 'egress';

/** One rule of a security group (Neutron API `security_group_rules[]`, in our spelling). */
export interface SecurityGroupRule {
  readonly id: string;
  readonly direction: Direction;
  readonly ethertype: 'IPv4' | 'IPv6';
  /** A name (`tcp`, `icmpv6`), a number (also as text) or null for every protocol. */
  readonly protocol: string | number | null;
  /** First port; for ICMP the type. */
  readonly portMin: number | null;
  /** Last port; for ICMP the code. */
  readonly portMax: number | null;
  readonly remoteIpPrefix: string | null;
  readonly remoteGroupId: string | null;
  readonly remoteAddressGroupId?: string | null;
}

export interface SecurityGroup {
  readonly id: string;
  readonly name: string;
  readonly rules: readonly SecurityGroupRule[];
  /** False: replies are not tracked and need rules of their own (extension `stateful-security-group`). */
  readonly stateful?: boolean;
}

export interface AddressPair {
  /** An address or a network. */
  readonly ip: string;
  /** The port's own MAC when left out. */
  readonly mac?: string;
}

/** What a port says about its own protection. Ports of Neutron itself (`network:*`) have `enabled: false`. */
export interface PortSecurity {
  readonly enabled: boolean;
  /** Ids of its security groups. */
  readonly groups: readonly string[];
  readonly allowedAddressPairs: readonly AddressPair[];
  readonly fixedIps: readonly string[];
  readonly mac: string;
}

/** One packet, or a set of packets, seen from the port. What is left out stands for every value. */
export interface Probe {
  readonly protocol: 'icmp' | 'tcp' | 'udp';
  readonly family: Family;
  /** ingress: into the instance. */
  readonly direction: Direction;
  /** Destination port of tcp and udp. */
  readonly port?: number;
  /** Source port; only DHCP cares. */
  readonly sourcePort?: number;
  /** ICMP type: 8 (128 in IPv6) for a ping. */
  readonly icmpType?: number;
  readonly icmpCode?: number;
  /** The other end: an address or a network; undefined for anywhere. */
  readonly remote?: string;
  /** Source address of an egress packet when it is not the port's own. */
  readonly local?: string;
  readonly localMac?: string;
  /** A reply of a connection that was let through. */
  readonly reply?: boolean;
}

export interface RuleRef {
  readonly group: { readonly id: string; readonly name: string };
  readonly rule: SecurityGroupRule;
}

/** What Neutron lets through without asking any rule. */
export type Exemption = 'port-security-off' | 'reply' | 'dhcp' | 'neighbour-discovery';

/** A rule that fails to let the probe through by one thing only. */
export type Miss =
  | { readonly by: 'remote'; readonly of: RuleRef; readonly allows: string }
  | { readonly by: 'empty-remote-group'; readonly of: RuleRef; readonly remoteGroupId: string }
  | { readonly by: 'port'; readonly of: RuleRef }
  | { readonly by: 'protocol'; readonly of: RuleRef }
  | { readonly by: 'ethertype'; readonly of: RuleRef }
  | { readonly by: 'direction'; readonly of: RuleRef }
  | { readonly by: 'group-without-rules'; readonly group: { readonly id: string; readonly name: string } };

export type Allowed =
  | { readonly kind: 'allowed'; readonly because: 'exempt'; readonly exemption: Exemption; readonly extent: 'whole' }
  | {
      readonly kind: 'allowed';
      readonly because: 'rules';
      readonly by: readonly [RuleRef, ...RuleRef[]];
      /** part: only for some of the remote addresses, ports or ICMP types that were asked about. */
      readonly extent: 'whole' | 'part';
    };

export type Denied =
  | {
      readonly kind: 'denied';
      readonly because: 'no-rule';
      readonly groups: readonly { readonly id: string; readonly name: string }[];
      /** Nearest first. */
      readonly misses: readonly Miss[];
    }
  | { readonly kind: 'denied'; readonly because: 'no-group' }
  | { readonly kind: 'denied'; readonly because: 'spoofed'; readonly source: string }
  | { readonly kind: 'denied'; readonly because: 'dhcp-server' | 'router-advertisement' };

/** It cannot be told from what we were given. */
export type Depends = {
  readonly kind: 'depends';
  /** Rules whose remote group has members we were not told. */
  readonly on: readonly RuleRef[];
  /** Groups of the port whose rules we were not told. */
  readonly unseenGroups: readonly string[];
  /** Rules that let a part through in any case. */
  readonly surely: readonly RuleRef[];
};

export type Verdict = Allowed | Denied | Depends;

/**
 * Addresses and networks of a remote security group or address group: fixed IPs and allowed address pairs of its
 * ports. Undefined: not known.
 */
export type MembersOf = (groupId: string) => readonly string[] | undefined;

/**
 * What Neutron's firewall drivers do with a packet of this port, by the rules in the API: the union of the rules of
 * all its groups lets through, the rest is dropped. Sources: Neutron API reference (security group rules),
 * neutron/agent/linux/iptables_firewall.py, openvswitch_firewall/firewall.py, db/securitygroups_{db,rpc_base}.py.
 * Throws a TypeError when `probe.remote` is not of `probe.family`.
 */
export function verdictOf(
  probe: Probe,
  port: PortSecurity,
  groups: readonly SecurityGroup[],
  membersOf: MembersOf = () => undefined,
): Verdict {
  if (!port.enabled) return exempt('port-security-off');
  const fixed = fixedVerdict(probe, port);
  if (fixed) return fixed;
  if (port.groups.length === 0) return { kind: 'denied', because: 'no-group' };
  const own = port.groups.flatMap((id) => groups.find((group) => group.id === id) ?? []);
  if (probe.reply === true && own.every((group) => group.stateful !== false)) return exempt('reply');

  const asked = spaceOfProbe(probe);
  const certain: Cover[] = [];
  const open: RuleRef[] = [];
  for (const of of refsOf(own)) {
    const ports = portsLetThrough(of.rule, probe);
    if (!ports || !overlaps(ports, asked.ports)) continue;
    const remotes = remotesOf(of.rule, membersOf);
    if (remotes === 'unknown') open.push(of);
    else for (const addresses of remotes) certain.push({ of, ports, addresses });
  }
  const extent = extentOf(asked, certain);
  const by = contributors(asked, certain);
  const [first, ...rest] = by;
  if (extent === 'whole' && first) return { kind: 'allowed', because: 'rules', by: [first, ...rest], extent };
  const unseenGroups = port.groups.filter((id) => !own.some((group) => group.id === id));
  if (open.length > 0 || unseenGroups.length > 0) return { kind: 'depends', on: open, unseenGroups, surely: by };
  if (extent === 'part' && first) return { kind: 'allowed', because: 'rules', by: [first, ...rest], extent };
  const named = own.map(({ id, name }) => ({ id, name }));
  return { kind: 'denied', because: 'no-rule', groups: named, misses: missesOf(probe, own, membersOf) };
}

const exempt = (exemption: Exemption): Allowed => ({ kind: 'allowed', because: 'exempt', exemption, extent: 'whole' });

const refsOf = (groups: readonly SecurityGroup[]): readonly RuleRef[] =>
  groups.flatMap((group) => group.rules.map((rule) => ({ group: { id: group.id, name: group.name }, rule })));

/** ICMPv6 types that pass by themselves (neutron.agent.firewall ICMPV6_ALLOWED_INGRESS/EGRESS_TYPES, _RESTRICTED_). */
const NEIGHBOUR_DISCOVERY: Readonly<Record<Direction, readonly number[]>> = {
  ingress: [130, 134, 135, 136],
  egress: [130, 133, 135, 136],
};
const ROUTER_ADVERTISEMENT = 134;
const DHCP_PORTS: Readonly<Record<Family, { readonly client: number; readonly server: number }>> = {
  4: { client: 68, server: 67 },
  6: { client: 546, server: 547 },
};

/** The rules every port has, before those of its groups. */
function fixedVerdict(probe: Probe, port: PortSecurity): Verdict | undefined {
  const { client, server } = DHCP_PORTS[probe.family];
  const dhcp = (from: number, to: number): boolean =>
    probe.protocol === 'udp' && probe.port === to && (probe.sourcePort ?? from) === from;
  const discovery =
    probe.protocol === 'icmp' &&
    probe.family === 6 &&
    probe.icmpType !== undefined &&
    NEIGHBOUR_DISCOVERY[probe.direction].includes(probe.icmpType);
  if (probe.direction === 'ingress') {
    if (dhcp(server, client)) return exempt('dhcp');
    return discovery ? exempt('neighbour-discovery') : undefined;
  }
  if (dhcp(client, server)) return exempt('dhcp');
  if (spoofed(probe, port)) {
    return { kind: 'denied', because: 'spoofed', source: probe.local ?? probe.localMac ?? '' };
  }
  // An instance may well send to some other udp/68; only the pair of ports of a server's answer is stopped.
  if (probe.sourcePort === server && dhcp(server, client)) return { kind: 'denied', because: 'dhcp-server' };
  if (probe.protocol === 'icmp' && probe.family === 6 && probe.icmpType === ROUTER_ADVERTISEMENT) {
    return { kind: 'denied', because: 'router-advertisement' };
  }
  return discovery ? exempt('neighbour-discovery') : undefined;
}

/** True when port security stops the packet's source: the pair of MAC and address is not one of the port's. */
function spoofed(probe: Probe, port: PortSecurity): boolean {
  if (probe.local === undefined && probe.localMac === undefined) return false;
  const mac = probe.localMac ?? port.mac;
  const pairs: readonly AddressPair[] = [...port.fixedIps.map((ip) => ({ ip })), ...port.allowedAddressPairs];
  return !pairs.some(
    (pair) => sameMac(pair.mac ?? port.mac, mac) && (probe.local === undefined || cidrContains(pair.ip, probe.local)),
  );
}

/** Numbers from `low` to `high`, both included. */
interface Range<T> {
  readonly low: T;
  readonly high: T;
}

/** The probes asked about, as a rectangle: ports (or ICMP type and code) by remote addresses. */
interface Space {
  readonly ports: Range<number>;
  readonly addresses: Range<bigint>;
}

interface Cover extends Space {
  readonly of: RuleRef;
}

const EVERY_PORT: Range<number> = { low: 0, high: 0xffff };

const overlaps = (a: Range<number>, b: Range<number>): boolean => a.low <= b.high && b.low <= a.high;

/** ICMP type and code as one number, so that "every code of type 3" is a range just like ports 768–1023. */
function icmpRange(type: number | null | undefined, code: number | null | undefined): Range<number> {
  if (type === null || type === undefined) return EVERY_PORT;
  const low = type * 256;
  return code === null || code === undefined ? { low, high: low + 255 } : { low: low + code, high: low + code };
}

function spaceOfProbe(probe: Probe): Space {
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

const familyOfRule = (rule: SecurityGroupRule): Family => (rule.ethertype === 'IPv6' ? 6 : 4);

/** Ports (ICMP types and codes) that a rule names for its protocol. */
function portsOf(rule: SecurityGroupRule): Range<number> {
  const number = protocolNumber(rule.protocol, familyOfRule(rule));
  if (number === 'any') return EVERY_PORT;
  if (number === 1 || number === 58) return icmpRange(rule.portMin, rule.portMax);
  return { low: rule.portMin ?? 0, high: rule.portMax ?? 0xffff };
}

/** The ports a rule lets through for this probe's direction, family and protocol; undefined when it is about others. */
function portsLetThrough(rule: SecurityGroupRule, probe: Probe): Range<number> | undefined {
  if (rule.direction !== probe.direction || familyOfRule(rule) !== probe.family) return undefined;
  return speaksOf(rule, probe) ? portsOf(rule) : undefined;
}

function speaksOf(rule: SecurityGroupRule, probe: Probe): boolean {
  const number = protocolNumber(rule.protocol, familyOfRule(rule));
  return number === 'any' || number === numberOfProbe(probe, familyOfRule(rule));
}

/** The id of the group, of ports or of addresses, that a rule takes its remote addresses from. */
export function remoteGroupOf(rule: SecurityGroupRule): string | undefined {
  return rule.remoteGroupId ?? rule.remoteAddressGroupId ?? undefined;
}

function remotesOf(rule: SecurityGroupRule, membersOf: MembersOf): readonly Range<bigint>[] | 'unknown' {
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

/** How much of the rectangle `asked` the rectangles cover together: exact, by slabs of equal cover along the ports. */
function extentOf(asked: Space, covers: readonly Cover[]): 'whole' | 'part' | 'none' {
  const touching = covers.filter((cover) => touches(asked, cover));
  if (touching.length === 0) return 'none';
  const starts = new Set([asked.ports.low]);
  for (const { ports } of touching) {
    for (const at of [ports.low, ports.high + 1]) if (at > asked.ports.low && at <= asked.ports.high) starts.add(at);
  }
  for (const start of starts) {
    const here = touching.filter(({ ports }) => ports.low <= start && start <= ports.high);
    if (
      !coversAll(
        asked.addresses,
        here.map(({ addresses }) => addresses),
      )
    )
      return 'part';
  }
  return 'whole';
}

const touches = (asked: Space, cover: Space): boolean =>
  overlaps(asked.ports, cover.ports) &&
  asked.addresses.low <= cover.addresses.high &&
  cover.addresses.low <= asked.addresses.high;

function coversAll(wanted: Range<bigint>, ranges: readonly Range<bigint>[]): boolean {
  let next = wanted.low;
  for (const range of [...ranges].sort((a, b) => (a.low < b.low ? -1 : a.low > b.low ? 1 : 0))) {
    if (range.low > next) return false;
    if (range.high >= next) next = range.high + 1n;
    if (next > wanted.high) return true;
  }
  return next > wanted.high;
}

/** The rules to name: one that does it alone if there is one, else all that take part. */
function contributors(asked: Space, covers: readonly Cover[]): readonly RuleRef[] {
  const alone = covers.find((cover) => extentOf(asked, [cover]) === 'whole');
  if (alone) return [alone.of];
  const refs = new Map<string, RuleRef>();
  for (const cover of covers) if (touches(asked, cover)) refs.set(cover.of.rule.id, cover.of);
  return [...refs.values()];
}

const NEAREST: readonly Miss['by'][] = [
  'remote',
  'empty-remote-group',
  'ethertype',
  'port',
  'protocol',
  'direction',
  'group-without-rules',
];

function missesOf(probe: Probe, own: readonly SecurityGroup[], membersOf: MembersOf): readonly Miss[] {
  const asked = spaceOfProbe(probe);
  const misses: Miss[] = [];
  for (const of of refsOf(own)) {
    const { rule } = of;
    const sameDirection = rule.direction === probe.direction;
    const sameFamily = familyOfRule(rule) === probe.family;
    const sameProtocol = speaksOf(rule, probe);
    const samePort = overlaps(portsOf(rule), asked.ports);
    // A rule for everything out is no near miss of something in.
    const specific = protocolNumber(rule.protocol, familyOfRule(rule)) !== 'any';
    if (sameDirection && sameFamily && sameProtocol && samePort) misses.push(remoteMiss(of, membersOf));
    else if (sameDirection && sameFamily && sameProtocol) misses.push({ by: 'port', of });
    else if (sameDirection && !sameFamily && sameProtocol && samePort) misses.push({ by: 'ethertype', of });
    else if (sameDirection && sameFamily && !sameProtocol && sharesPortNumber(rule, probe)) {
      misses.push({ by: 'protocol', of });
    } else if (!sameDirection && sameFamily && sameProtocol && samePort && specific) {
      misses.push({ by: 'direction', of });
    }
  }
  for (const group of own) {
    if (!group.rules.some((rule) => rule.direction === probe.direction)) {
      misses.push({ by: 'group-without-rules', group: { id: group.id, name: group.name } });
    }
  }
  return misses.sort((a, b) => NEAREST.indexOf(a.by) - NEAREST.indexOf(b.by));
}

/** tcp/53 for udp/53: the right number under the wrong protocol. */
function sharesPortNumber(rule: SecurityGroupRule, probe: Probe): boolean {
  const number = protocolNumber(rule.protocol, familyOfRule(rule));
  if (probe.port === undefined || (number !== 6 && number !== 17)) return false;
  return rule.portMin !== null && rule.portMin <= probe.port && probe.port <= (rule.portMax ?? rule.portMin);
}

function remoteMiss(of: RuleRef, membersOf: MembersOf): Miss {
  const groupId = remoteGroupOf(of.rule);
  if (groupId !== undefined && membersOf(groupId)?.length === 0) {
    return { by: 'empty-remote-group', of, remoteGroupId: groupId };
  }
  return { by: 'remote', of, allows: groupId === undefined ? (of.rule.remoteIpPrefix ?? 'anywhere') : groupId };
}

// Words.

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

/** The command that lets this probe through by a new rule of `group` (its id, because names need not be unique). */
export function remedyRule(probe: Probe, group: { readonly id: string }): readonly [string, ...string[]] {
  const argv = ['security', 'group', 'rule', 'create', `--${probe.direction}`];
  if (probe.family === 6) argv.push('--ethertype', 'IPv6');
  argv.push('--protocol', probe.protocol === 'icmp' && probe.family === 6 ? 'ipv6-icmp' : probe.protocol);
  if (probe.protocol === 'icmp') {
    if (probe.icmpType !== undefined) argv.push('--icmp-type', String(probe.icmpType));
    if (probe.icmpType !== undefined && probe.icmpCode !== undefined) argv.push('--icmp-code', String(probe.icmpCode));
  } else if (probe.port !== undefined) argv.push('--dst-port', String(probe.port));
  if (probe.remote !== undefined) argv.push('--remote-ip', probe.remote);
  return ['openstack', ...argv, group.id];
}

/** The command that lets everything of one family out, to one address or to anywhere. */
export function remedyEgress(
  family: Family,
  group: { readonly id: string },
  remote?: string,
): readonly [string, ...string[]] {
  const to = remote === undefined ? [] : ['--remote-ip', remote];
  const ethertype = family === 4 ? 'IPv4' : 'IPv6';
  return ['openstack', 'security', 'group', 'rule', 'create', '--egress', '--ethertype', ethertype, ...to, group.id];
}

/** The command that lets a port send from (and be reached at) one more address. */
export function remedyAddressPair(portId: string, address: string, mac?: string): readonly [string, ...string[]] {
  const pair = `ip-address=${address}${mac === undefined ? '' : `,mac-address=${mac}`}`;
  return ['openstack', 'port', 'set', '--allowed-address', pair, portId];
}

/** A security group as the Neutron API gives it; only what is read here. */
export interface ApiGroup {
  readonly id: string;
  readonly name: string;
  readonly stateful?: boolean | null | undefined;
  readonly security_group_rules: readonly ApiRule[];
}

export interface ApiRule {
  readonly id: string;
  readonly direction: string;
  readonly ethertype?: string | null | undefined;
  readonly protocol?: string | number | null | undefined;
  readonly port_range_min?: number | null | undefined;
  readonly port_range_max?: number | null | undefined;
  readonly remote_ip_prefix?: string | null | undefined;
  readonly remote_group_id?: string | null | undefined;
  readonly remote_address_group_id?: unknown;
}

/** Out of the API's spelling. */
export function groupFromApi(group: ApiGroup): SecurityGroup {
  return {
    id: group.id,
    name: group.name,
    stateful: group.stateful !== false,
    rules: group.security_group_rules.map(ruleFromApi),
  };
}

export function ruleFromApi(rule: ApiRule): SecurityGroupRule {
  const addressGroup = rule.remote_address_group_id;
  return {
    id: rule.id,
    direction: rule.direction === 'egress' ? 'egress' : 'ingress',
    ethertype: rule.ethertype === 'IPv6' ? 'IPv6' : 'IPv4',
    protocol: rule.protocol ?? null,
    portMin: rule.port_range_min ?? null,
    portMax: rule.port_range_max ?? null,
    remoteIpPrefix: rule.remote_ip_prefix ?? null,
    remoteGroupId: rule.remote_group_id ?? null,
    remoteAddressGroupId: typeof addressGroup === 'string' ? addressGroup : null,
  };
}

/** A port as the Neutron API gives it; only what is read here. */
export interface ApiPort {
  readonly mac_address: string;
  readonly port_security_enabled?: boolean | undefined;
  readonly device_owner?: string | undefined;
  readonly security_groups?: readonly string[] | undefined;
  readonly fixed_ips: readonly { readonly ip_address: string }[];
  readonly allowed_address_pairs?:
    | readonly { readonly ip_address: string; readonly mac_address?: string | undefined }[]
    | undefined;
}

/** Out of the API's spelling. Without the port security extension only Neutron's own ports (`network:*`) are open. */
export function portSecurityFromApi(port: ApiPort): PortSecurity {
  return {
    enabled: port.port_security_enabled ?? !port.device_owner?.startsWith('network:'),
    groups: port.security_groups ?? [],
    allowedAddressPairs: (port.allowed_address_pairs ?? []).map(({ ip_address: ip, mac_address: mac }) =>
      mac === undefined ? { ip } : { ip, mac },
    ),
    fixedIps: port.fixed_ips.map(({ ip_address: ip }) => ip),
    mac: port.mac_address,
  };
}

/**
 * What `membersOf` needs, out of all ports of the project: addresses and allowed pairs of every port of the group. A
 * list that is not complete makes groups look emptier than they are.
 */
export function membersFromPorts(ports: readonly PortSecurity[]): MembersOf {
  const members = new Map<string, Set<string>>();
  for (const port of ports) {
    for (const id of port.groups) {
      const addresses = members.get(id) ?? new Set<string>();
      for (const ip of port.fixedIps) addresses.add(ip);
      for (const { ip } of port.allowedAddressPairs) addresses.add(ip);
      members.set(id, addresses);
    }
  }
  return (id) => [...(members.get(id) ?? [])];
}
