import { type IptablesChain, type IptablesDump, type IptablesRule, ruleWords } from '../../nodes/parse/iptables.ts';
import {
  type ChainOwner,
  cidrContains,
  deviceName,
  type Family,
  familyOf,
  ipsetName,
  linkLocal,
  normalCidr,
  normalMac,
  parseCidr,
  portChain,
  sameMac,
} from '../addresses.ts';
import type { RuleRef, SecurityGroupRule } from '../secgroup/model.ts';
import { remoteGroupOf } from '../secgroup/rule.ts';
import {
  type Enforcement,
  type ExtraRule,
  type MissingRule,
  type NotEnforced,
  type WantedFirewall,
  wantedRules,
} from './enforcement.ts';
import { walk } from './iptables-walk.ts';
import { type Packet, protocolNumber, standsForEveryProtocol } from './packet.ts';

export interface IptablesNode {
  /** `iptables-save -c` of the host for family 4, `ip6tables-save -c` for 6. */
  readonly dump: IptablesDump;
  /** Values of `net.bridge.bridge-nf-call-*`, by key; left out when they were not read. */
  readonly sysctl?: Readonly<Record<string, string>>;
  /** Members of an ipset of the host; undefined when the set does not exist or was not read. */
  readonly setMembers?: (name: string) => readonly string[] | undefined;
  /** The bridge port of the instance; its tap by default. */
  readonly device?: string;
}

/**
 * Compares what the linuxbridge agent or the OVS agent with the hybrid driver (`qbr` bridges) put into iptables for a
 * port with what the API says. The rules looked for are those that neutron/agent/linux/iptables_firewall.py makes; they
 * are compared by meaning, so counters, comments, order and the spelling of the release do not matter.
 */
export function compareIptables(wanted: WantedFirewall, node: IptablesNode): Enforcement {
  const device = node.device ?? deviceName('tap', wanted.portId);
  const filter = new Map(
    node.dump.tables.find(({ name }) => name === 'filter')?.chains.map((chain) => [chain.name, chain]) ?? [],
  );
  const owner = ownerOf(filter, wanted.portId);
  if (!wanted.security.enabled) return unfilteredPort(filter, owner, device);

  const names = {
    ingress: portChain(owner, 'i', wanted.portId),
    egress: portChain(owner, 'o', wanted.portId),
    spoofing: portChain(owner, 's', wanted.portId),
  };
  // A port without addresses of this family has no pairs to guard, and so no chain for them.
  const needed = pairsOf(wanted).length > 0 ? Object.values(names) : [names.ingress, names.egress];
  const chainsMissing = needed.filter((name) => !filter.has(name));
  const missing: MissingRule[] = [];
  const extra: ExtraRule[] = [];
  const found: RuleRef[] = [];
  const undecided: RuleRef[] = [];
  const baseMissing: string[] = [];

  for (const direction of ['ingress', 'egress'] as const) {
    const chain = filter.get(names[direction]);
    if (!chain) continue;
    const refs = wantedRules(wanted).filter(({ rule }) => rule.direction === direction);
    const explained = new Set<IptablesRule>();
    const passes = chain.rules.filter(({ target }) => target === 'RETURN' || target === 'ACCEPT');
    for (const of of refs) {
      const outcome = lookFor(of, passes, wanted, node);
      for (const rule of outcome.explained) explained.add(rule);
      if (outcome.kind === 'missing') missing.push(missingRule(of, outcome.expected, chain));
      else if (outcome.kind === 'found') found.push(of);
      else undecided.push(of);
    }
    for (const rule of chain.rules) {
      if (explained.has(rule) || isBaseRule(rule, direction, owner, wanted)) continue;
      const effect = effectOf(rule);
      if (effect) extra.push({ where: `filter ${chain.name}`, raw: rule.raw, packets: rule.packets, effect });
    }
    baseMissing.push(...missingBaseRules(chain, direction, owner, wanted));
  }
  const spoofing = filter.get(names.spoofing);
  if (spoofing) {
    const pairs = pairsOf(wanted);
    const isPair = (rule: IptablesRule): boolean => pairs.some((pair) => pairMatches(pair, rule));
    for (const pair of pairs) {
      if (!spoofing.rules.some((rule) => rule.target === 'RETURN' && pairMatches(pair, rule))) {
        baseMissing.push(pairText(pair, spoofing.name));
      }
    }
    for (const rule of spoofing.rules) {
      if (rule.target === 'RETURN' && !isPair(rule)) {
        extra.push({
          where: `filter ${spoofing.name}`,
          raw: rule.raw,
          packets: rule.packets,
          effect: 'lets through',
        });
      }
    }
  }
  const notEnforced = [
    ...notEnforcedBy(filter, owner, device, names, node, wanted.family),
    ...acceptedBefore(filter, owner, device, node.dump, wanted),
  ];
  return { missing, extra, chainsMissing, notEnforced, baseMissing, found, undecided };
}

type Chains = ReadonlyMap<string, IptablesChain>;

/** The agent whose chains these are: that of the port's own chain, else whichever agent has been here. */
function ownerOf(filter: Chains, portId: string): ChainOwner {
  const owners: readonly ChainOwner[] = ['neutron-linuxbri', 'neutron-openvswi'];
  return (
    owners.find((owner) => filter.has(portChain(owner, 'i', portId))) ??
    owners.find((owner) => filter.has(`${owner}-sg-chain`)) ??
    'neutron-openvswi'
  );
}

// A rule of the API as iptables has it.

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

function network(cidr: string | null | undefined): string | undefined {
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
function lookFor(of: RuleRef, passes: readonly IptablesRule[], wanted: WantedFirewall, node: IptablesNode): Outcome {
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

function missingRule(of: RuleRef, expected: readonly string[], chain: IptablesChain): MissingRule {
  const family = of.rule.ethertype === 'IPv4' ? 4 : 6;
  const protocol = protocolOf(of.rule, family);
  const instead = chain.rules
    .filter((rule) => rule.target === 'RETURN' && rule.sport === undefined && rule.protocol !== undefined)
    .filter((rule) => protocolNumber(rule.protocol ?? '', family) === protocol)
    .map(({ raw }) => raw);
  const named = expected.map((text) => text.replace(/^-A (?=-)/, `-A ${chain.name} `));
  return { of, expected: named, where: `filter ${chain.name}`, instead };
}

// What every port has besides.

const DHCP: Readonly<Record<Family, { readonly client: number; readonly server: number }>> = {
  4: { client: 68, server: 67 },
  6: { client: 546, server: 547 },
};

const isDhcp = (rule: IptablesRule, from: number, to: number): boolean =>
  protocolNumber(rule.protocol ?? '', 4) === 17 && isPort(rule.sport, from) && isPort(rule.dport, to);

const isPort = (ranges: IptablesRule['sport'], port: number): boolean =>
  ranges?.length === 1 && ranges[0]?.from === port && ranges[0].to === port;

const isReplies = (rule: IptablesRule): boolean =>
  rule.target === 'RETURN' &&
  (rule.ctstate?.includes('ESTABLISHED') ?? false) &&
  rule.ctstate?.includes('NEW') === false;

const isInvalidDrop = (rule: IptablesRule): boolean =>
  rule.target === 'DROP' && rule.ctstate?.length === 1 && rule.ctstate[0] === 'INVALID';

/** ICMPv6 that Neutron lets an instance send or get by itself: neighbour and router discovery, multicast listeners. */
const isDiscovery = (rule: IptablesRule): boolean =>
  protocolNumber(rule.protocol ?? '', 6) === 58 &&
  [130, 131, 132, 133, 134, 135, 136, 143].includes(Number(rule.icmpType?.split('/')[0]));

/** A rule that the agent makes for every port, whatever its groups say. */
function isBaseRule(
  rule: IptablesRule,
  direction: 'ingress' | 'egress',
  owner: ChainOwner,
  wanted: WantedFirewall,
): boolean {
  const { client, server } = DHCP[wanted.family];
  if (isReplies(rule) || isInvalidDrop(rule) || rule.target === `${owner}-sg-fallback`) return true;
  if (direction === 'ingress') {
    return rule.target === 'RETURN' && (isDhcp(rule, server, client) || (wanted.family === 6 && isDiscovery(rule)));
  }
  if (rule.target === portChain(owner, 's', wanted.portId)) return true;
  if (rule.target === 'RETURN' && isDhcp(rule, client, server)) return true;
  if (rule.target === 'DROP' && isDhcp(rule, server, client)) return true;
  if (wanted.family === 4) return false;
  const everyIcmp = protocolNumber(rule.protocol ?? '', 6) === 58 && rule.icmpType === undefined && !rule.source;
  return isDiscovery(rule) || (everyIcmp && rule.target === 'RETURN');
}

function missingBaseRules(
  chain: IptablesChain,
  direction: 'ingress' | 'egress',
  owner: ChainOwner,
  wanted: WantedFirewall,
): readonly string[] {
  const { client, server } = DHCP[wanted.family];
  const some = (test: (rule: IptablesRule) => boolean): boolean => chain.rules.some(test);
  const spoofing = portChain(owner, 's', wanted.portId);
  const needs: (readonly [string, boolean])[] = [
    [`-A ${chain.name} -m state --state RELATED,ESTABLISHED -j RETURN`, some(isReplies) || isStateless(wanted)],
  ];
  if (direction === 'ingress') {
    const dhcp = some((rule) => rule.target === 'RETURN' && isDhcp(rule, server, client));
    needs.push([`-A ${chain.name} -p udp -m udp --sport ${server} --dport ${client} -j RETURN`, dhcp]);
  } else {
    const dhcp = some((rule) => rule.target === 'RETURN' && isDhcp(rule, client, server));
    needs.push([`-A ${chain.name} -p udp -m udp --sport ${client} --dport ${server} -j RETURN`, dhcp]);
    const guarded = pairsOf(wanted).length === 0 || some(({ target }) => target === spoofing);
    needs.push([`-A ${chain.name} -j ${spoofing}`, guarded]);
  }
  return needs.filter(([, there]) => !there).map(([text]) => text);
}

const isStateless = (wanted: WantedFirewall): boolean =>
  wanted.groups.some((group) => group.stateful === false && wanted.security.groups.includes(group.id));

interface Pair {
  readonly mac: string;
  /** Undefined: every address. */
  readonly ip: string | undefined;
}

/** Pairs of MAC and address that the port may send from; a port without addresses may send from any. */
function pairsOf(wanted: WantedFirewall): readonly Pair[] {
  const { security, family } = wanted;
  const given = [
    ...security.allowedAddressPairs.map(({ ip, mac }) => ({ ip, mac: mac ?? security.mac })),
    ...security.fixedIps.map((ip) => ({ ip, mac: security.mac })),
  ].filter(({ ip }) => familyOf(ip) === family);
  const pairs: Pair[] = given.map(({ ip, mac }) => ({ mac, ip: network(ip) }));
  if (family === 6) {
    for (const { mac } of given) {
      const local = linkLocal(mac);
      if (local) pairs.push({ mac, ip: normalCidr(local) });
    }
  }
  if (security.fixedIps.length === 0) pairs.push({ mac: security.mac, ip: undefined });
  return pairs;
}

const pairMatches = (pair: Pair, rule: IptablesRule): boolean =>
  rule.macSource !== undefined && sameMac(rule.macSource, pair.mac) && network(rule.source) === pair.ip;

function pairText(pair: Pair, chain: string): string {
  const source = pair.ip === undefined ? '' : `-s ${pair.ip} `;
  return `-A ${chain} ${source}-m mac --mac-source ${normalMac(pair.mac) ?? pair.mac} -j RETURN`;
}

function effectOf(rule: IptablesRule): ExtraRule['effect'] | undefined {
  if (rule.target === 'RETURN' || rule.target === 'ACCEPT') return 'lets through';
  if (rule.target === 'DROP' || rule.target === 'REJECT') return 'drops';
  // Logging and counting change nothing.
  return rule.target === undefined || rule.target === 'LOG' || rule.target === 'NFLOG' ? undefined : 'diverts';
}

// Does a packet of the port come to its chains at all?

function notEnforcedBy(
  filter: Chains,
  owner: ChainOwner,
  device: string,
  names: { readonly ingress: string; readonly egress: string },
  node: IptablesNode,
  family: Family,
): readonly NotEnforced[] {
  const reasons: NotEnforced[] = [];
  const key = `net.bridge.bridge-nf-call-ip${family === 6 ? '6' : ''}tables`;
  if (node.sysctl && node.sysctl[key] !== '1') {
    reasons.push({ by: 'bridge-netfilter-off', key, value: node.sysctl[key] });
  }
  const forward = `${owner}-FORWARD`;
  const shared = `${owner}-sg-chain`;
  const jump = (from: string, to: string, on?: 'physdevOut' | 'physdevIn'): IptablesRule | undefined =>
    filter
      .get(from)
      ?.rules.find(
        (rule) =>
          rule.target === to && (on ? rule[on] === device && !rule.negated.includes(on) : isUnconditional(rule)),
      );
  if (!jump('FORWARD', forward)) {
    reasons.push({ by: 'no-jump', from: 'FORWARD', to: forward, device, direction: 'both' });
  }
  for (const [direction, on] of [
    ['ingress', 'physdevOut'],
    ['egress', 'physdevIn'],
  ] as const) {
    const chain = names[direction];
    if (!filter.has(chain)) continue;
    const first = jump(forward, shared, on);
    if (!first) reasons.push({ by: 'no-jump', from: forward, to: shared, device, direction });
    if (!jump(shared, chain, on)) reasons.push({ by: 'no-jump', from: shared, to: chain, device, direction });
    for (const rule of filter.get(forward)?.rules ?? []) {
      const before = !first || rule.index < first.index;
      if (rule.target === 'ACCEPT' && rule[on] === device && before) {
        reasons.push({ by: 'unfiltered', where: `filter ${forward}`, raw: rule.raw });
      }
    }
  }
  return reasons;
}

/** Does a fresh packet of the port come to Neutron's chain at all, or does another rule surely accept it before? */
function acceptedBefore(
  filter: Chains,
  owner: ChainOwner,
  device: string,
  dump: IptablesDump,
  wanted: WantedFirewall,
): readonly NotEnforced[] {
  const jump = filter.get('FORWARD')?.rules.find(({ target }) => target === `${owner}-FORWARD`);
  if (jump === undefined) return [];
  const address = wanted.security.fixedIps.find((ip) => familyOf(ip) === wanted.family);
  const packets: Packet[] = (['icmp', 'tcp', 'udp'] as const).flatMap((protocol): Packet[] => [
    {
      family: wanted.family,
      protocol,
      state: 'NEW',
      bridgeOut: device,
      ...(address === undefined ? {} : { destination: address }),
    },
    {
      family: wanted.family,
      protocol,
      state: 'NEW',
      bridgeIn: device,
      ...(address === undefined ? {} : { source: address }),
    },
  ]);
  const found = new Map<IptablesRule, NotEnforced>();
  for (const packet of packets) {
    const { rules } = walk(dump, packet);
    if (rules.has(jump)) continue;
    for (const [rule, taken] of rules) {
      if (rule.table !== 'filter' || rule.target !== 'ACCEPT' || taken !== 'yes' || rule.chain.startsWith('neutron-'))
        continue;
      const remove = ['iptables', '-D', ...ruleWords(rule.raw).slice(1)] as const;
      found.set(rule, {
        by: 'accepted-before',
        where: `filter ${rule.chain} #${rule.index}`,
        raw: rule.raw,
        packets: rule.packets,
        remove: wanted.family === 6 ? ['ip6tables', ...remove.slice(1)] : remove,
      });
    }
  }
  return [...found.values()];
}

const isUnconditional = (rule: IptablesRule): boolean =>
  rule.negated.length === 0 &&
  rule.otherMatches.length === 0 &&
  [rule.in, rule.out, rule.physdevIn, rule.physdevOut, rule.source, rule.destination, rule.protocol].every(
    (match) => match === undefined,
  );

/** Port security off: nothing may filter the port any more. */
function unfilteredPort(filter: Chains, owner: ChainOwner, device: string): Enforcement {
  const extra: ExtraRule[] = [];
  for (const rule of filter.get(`${owner}-FORWARD`)?.rules ?? []) {
    const ours = rule.physdevIn === device || rule.physdevOut === device;
    if (ours && rule.target === `${owner}-sg-chain`) {
      extra.push({ where: `filter ${rule.chain}`, raw: rule.raw, packets: rule.packets, effect: 'drops' });
    }
  }
  return { missing: [], extra, chainsMissing: [], notEnforced: [], baseMissing: [], found: [], undecided: [] };
}
