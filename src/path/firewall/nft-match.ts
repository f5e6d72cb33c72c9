import type { NftChain, NftRule, NftRuleset } from '../../nodes/parse/nft.ts';
import { type Family, parseCidr, sameMac } from '../addresses.ts';
import { type Chains, follow, type Next } from './follow.ts';
import { address, hooksOf } from './iptables-walk.ts';
import { type Answer, all, answerOf, any, not, type Packet, protocolNumber } from './packet.ts';

/** Could this rule take the packet, all by itself? The rule is read in nft's own words (nft(8)). */
export function nftMatches(rule: NftRule, packet: Packet): Answer {
  if (packet.arp !== undefined && /^(?:ip|ip6|inet)$/.test(rule.family)) return 'no';
  if ((rule.family === 'arp' && packet.arp === undefined) || (rule.family === 'ip' && packet.family === 6)) return 'no';
  if (rule.family === 'ip6' && packet.family === 4) return 'no';
  const bridge = rule.family === 'bridge' || rule.family === 'netdev';
  return all(clausesOf(rule.expression).map((clause) => clauseMatches(clause, packet, bridge)));
}

/** `ip saddr != 10.0.0.0/8`: what is looked at, whether inverted, and the values. */
interface Clause {
  readonly about: string;
  readonly inverted: boolean;
  readonly values: readonly string[];
}

const ABOUT =
  /^(?:(?:ip|ip6) (?:saddr|daddr|protocol|nexthdr)|meta l4proto|(?:tcp|udp|th|sctp) [sd]port|icmp(?:v6)? type|ether (?:saddr|daddr|type)|ct state|(?:meta )?[io]ifname|(?:meta )?[io]if|meta nfproto)$/;

const DECIDES = new Set(['accept', 'drop', 'reject', 'return', 'continue', 'queue', 'jump', 'goto', 'counter', 'log']);
const REWRITES = new Set(['dnat', 'snat', 'masquerade', 'redirect', 'tproxy', 'notrack', 'limit']);

/** Splits a rule into its matches; a word that begins nothing we know makes a clause of its own, about nothing. */
function clausesOf(expression: string): readonly Clause[] {
  const words = expression.match(/\{[^}]*\}|"[^"]*"|\S+/g) ?? [];
  const clauses: Clause[] = [];
  for (let at = 0; at < words.length; ) {
    const word = words[at] ?? '';
    if (DECIDES.has(word) || REWRITES.has(word)) {
      // What follows a verdict or a statement is its own: `log prefix "…"`, `reject with …`, `dnat to …`, `jump x`.
      if (word === 'limit') clauses.push({ about: word, inverted: false, values: [] });
      at += 1;
      while (word !== 'counter' && at < words.length && !DECIDES.has(words[at] ?? '')) at += 1;
      continue;
    }
    const two = `${word} ${words[at + 1] ?? ''}`;
    const about = ABOUT.test(two) ? two : ABOUT.test(word) ? word : undefined;
    if (about === undefined) {
      clauses.push({ about: '', inverted: false, values: [] });
      at += 1;
      continue;
    }
    at += about.split(' ').length;
    const operator = words[at] ?? '';
    const inverted = operator === '!=';
    if (inverted || operator === '==') at += 1;
    const value = words[at] ?? '';
    at += 1;
    clauses.push({ about: about.replace(/^meta (?=[io]if)/, ''), inverted, values: valuesOf(value) });
  }
  return clauses;
}

function valuesOf(text: string): readonly string[] {
  return text
    .replace(/^\{|\}$/g, '')
    .split(',')
    .map((value) => value.trim().replace(/^"|"$/g, ''))
    .filter((value) => value !== '');
}

function clauseMatches(clause: Clause, packet: Packet, bridge: boolean): Answer {
  const holds = valueTest(clause.about, packet, bridge);
  if (!holds || clause.values.length === 0) return 'unknown';
  const answer = any(clause.values.map((value) => (value.startsWith('@') ? 'unknown' : holds(value))));
  return clause.inverted ? not(answer) : answer;
}

function valueTest(about: string, packet: Packet, bridge: boolean): ((value: string) => Answer) | undefined {
  const [what = '', field = ''] = about.split(' ');
  if (packet.arp !== undefined && /^(?:ip6?|tcp|udp|th|sctp|icmp(?:v6)?|ct)$/.test(what)) return () => 'no';
  switch (what) {
    case 'iifname':
    case 'iif':
      return (value) => device(value, bridge ? packet.bridgeIn : packet.in);
    case 'oifname':
    case 'oif':
      return (value) => device(value, bridge ? packet.bridgeOut : packet.out);
    case 'ip':
    case 'ip6':
      if ((what === 'ip') !== (packet.family === 4)) return () => 'no';
      if (field === 'saddr') return (value) => inAddresses(value, packet.source, packet.family);
      if (field === 'daddr') return (value) => inAddresses(value, packet.destination, packet.family);
      return (value) => protocol(value, packet);
    case 'meta':
      if (field === 'l4proto') return (value) => protocol(value, packet);
      return (value) => answerOf(value === (packet.family === 4 ? 'ipv4' : 'ipv6'));
    case 'tcp':
    case 'udp':
    case 'sctp':
    case 'th': {
      const right = what === 'th' ? 'yes' : protocol(what, packet);
      const found = field === 'sport' ? packet.sourcePort : packet.destinationPort;
      return (value) => all([right, port(value, found)]);
    }
    case 'icmp':
    case 'icmpv6':
      if ((what === 'icmp') !== (packet.family === 4)) return () => 'no';
      return (value) => all([protocol('icmp', packet), icmpType(value, packet.icmpType)]);
    case 'ether':
      if (field === 'type')
        return (value) => answerOf(value === (packet.arp !== undefined ? 'arp' : packet.family === 4 ? 'ip' : 'ip6'));
      return (value) => mac(value, field === 'saddr' ? packet.sourceMac : packet.destinationMac);
    case 'ct': {
      const state = packet.state?.toLowerCase();
      return (value) => (state === undefined ? 'unknown' : answerOf(value === state));
    }
    default:
      return undefined;
  }
}

/** `tap*` stands for every device that begins so. */
function device(wanted: string, found: string | undefined): Answer {
  if (found === undefined) return 'unknown';
  return answerOf(wanted.endsWith('*') ? found.startsWith(wanted.slice(0, -1)) : found === wanted);
}

function inAddresses(wanted: string, found: string | undefined, family: Family): Answer {
  const [low, high] = wanted.split('-');
  if (high === undefined) return parseCidr(wanted) ? address(wanted, found, family) : 'unknown';
  const [from, to, at] = [parseCidr(low ?? ''), parseCidr(high), parseCidr(found ?? '')];
  if (!from || !to || !at) return 'unknown';
  return answerOf(from.first <= at.first && at.last <= to.last);
}

function protocol(wanted: string, packet: Packet): Answer {
  const number = protocolNumber(wanted, packet.family);
  const found = protocolNumber(packet.protocol, packet.family);
  return number === undefined || found === undefined ? 'unknown' : answerOf(number === found);
}

function port(wanted: string, found: number | undefined): Answer {
  const [from, to = from] = wanted.split('-').map(Number);
  if (found === undefined || from === undefined || to === undefined || Number.isNaN(from + to)) return 'unknown';
  return answerOf(from <= found && found <= to);
}

const ICMP_TYPES: Readonly<Record<string, readonly number[]>> = {
  'echo-reply': [0, 129],
  'destination-unreachable': [3, 1],
  'echo-request': [8, 128],
  'time-exceeded': [11, 3],
  'packet-too-big': [2],
};

function icmpType(wanted: string, found: number | undefined): Answer {
  const types = /^\d+$/.test(wanted) ? [Number(wanted)] : ICMP_TYPES[wanted];
  return types === undefined || found === undefined ? 'unknown' : answerOf(types.includes(found));
}

function mac(wanted: string, found: string | undefined): Answer {
  return found === undefined ? 'unknown' : answerOf(sameMac(wanted, found));
}

/** Rules and base chains of nft that a packet comes to. Tables of iptables-nft are left out: iptables-save has them. */
export function walkNft(
  ruleset: NftRuleset,
  packet: Packet,
): {
  readonly rules: ReadonlyMap<NftRule, Exclude<Answer, 'no'>>;
  readonly policies: ReadonlyMap<NftChain, Exclude<Answer, 'no'>>;
} {
  const rules = new Map<NftRule, Exclude<Answer, 'no'>>();
  const policies = new Map<NftChain, Exclude<Answer, 'no'>>();
  const hooks = hooksOf(packet)?.map((hook) => hook.toLowerCase());
  for (const table of ruleset.tables) {
    if (table.iptables || table.name === '') continue;
    if (table.family === 'arp' && packet.arp === undefined) continue;
    if (packet.arp !== undefined && /^(?:ip|ip6|inet)$/.test(table.family)) continue;
    if (table.family === (packet.family === 4 ? 'ip6' : 'ip')) continue;
    const chains = new Map(table.chains.map((chain) => [chain.name, chain]));
    const view: Chains<NftRule> = {
      rulesOf: (name) => chains.get(name)?.rules,
      matches: (rule) => nftMatches(rule, packet),
      next: nextOf,
      seen: (rule, taken) => rules.set(rule, rules.get(rule) === 'yes' ? 'yes' : taken),
    };
    for (const chain of table.chains) {
      if (chain.hook === undefined) continue;
      // Hooks of the bridge and of a device are passed on ways of their own (ingress, egress).
      const known = hooks?.includes(chain.hook);
      if (known === false && chain.hook !== 'ingress' && chain.hook !== 'egress') continue;
      const left = follow(view, chain.name, known ? 'yes' : 'unknown');
      if (left !== 'no') policies.set(chain, left);
    }
  }
  return { rules, policies };
}

function nextOf(rule: NftRule): Next {
  if (rule.verdict === undefined) return { kind: 'on' };
  switch (rule.verdict) {
    case 'continue':
      return { kind: 'on' };
    case 'return':
      return { kind: 'returns' };
    case 'jump':
    case 'goto':
      return { kind: rule.verdict, to: rule.target ?? '' };
    case 'accept':
    case 'drop':
    case 'reject':
    case 'queue':
      return { kind: 'ends' };
  }
}
