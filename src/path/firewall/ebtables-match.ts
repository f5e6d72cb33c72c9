import type { EbtablesChain, EbtablesRule } from '../../nodes/parse/ebtables.ts';
import { sameMac } from '../addresses.ts';
import { type Chains, follow, type Next } from './follow.ts';
import { address, hooksOf } from './iptables-walk.ts';
import { type Answer, all, answerOf, not, type Packet, protocolNumber } from './packet.ts';

/** Could this rule take the frame that carries the packet? In and out are ports of the bridge (ebtables(8)). */
export function ebtablesMatches(rule: EbtablesRule, packet: Packet): Answer {
  const words = rule.raw.split(/\s+/);
  const answers: Answer[] = [];
  for (let at = 0; at < words.length; ) {
    const before = words[at] === '!';
    if (before) at += 1;
    const option = words[at] ?? '';
    if (option === '-j') break;
    at += 1;
    const inverted = before || words[at] === '!';
    if (words[at] === '!') at += 1;
    const value = words[at] ?? '';
    at += 1;
    const answer = optionMatches(option, value, packet);
    answers.push(inverted ? not(answer) : answer);
  }
  return all(answers);
}

function optionMatches(option: string, value: string, packet: Packet): Answer {
  if (packet.arp !== undefined && option.startsWith('--ip')) return 'no';
  switch (option) {
    case '-i':
      return device(value, packet.bridgeIn);
    case '-o':
      return device(value, packet.bridgeOut);
    case '--logical-in':
      return device(value, packet.in);
    case '--logical-out':
      return device(value, packet.out);
    case '-p':
      if (packet.arp !== undefined) return answerOf(isArp(value));
      return answerOf(/^(?:ipv4|0x0?800)$/i.test(value) ? packet.family === 4 : isIpv6(value) && packet.family === 6);
    case '-s':
      return mac(value, packet.sourceMac);
    case '-d':
      return mac(value, packet.destinationMac);
    case '--arp-op':
    case '--arp-opcode':
      if (packet.arp === undefined) return 'no';
      return answerOf(new RegExp(`^(?:${packet.arp === 'request' ? 'request|1' : 'reply|2'})$`, 'i').test(value));
    case '--arp-ip-src':
      return packet.arp === undefined ? 'no' : address(value, packet.source, 4);
    case '--arp-ip-dst':
      return packet.arp === undefined ? 'no' : address(value, packet.destination, 4);
    case '--arp-mac-src':
      return packet.arp === undefined ? 'no' : mac(value, packet.sourceMac);
    case '--ip-src':
    case '--ip6-src':
      return address(value, packet.source, packet.family);
    case '--ip-dst':
    case '--ip6-dst':
      return address(value, packet.destination, packet.family);
    case '--ip-proto':
    case '--ip6-proto': {
      const [wanted, found] = [value, packet.protocol].map((name) => protocolNumber(name, packet.family));
      return wanted === undefined || found === undefined ? 'unknown' : answerOf(wanted === found);
    }
    case '--ip-sport':
    case '--ip6-sport':
      return port(value, packet.sourcePort);
    case '--ip-dport':
    case '--ip6-dport':
      return port(value, packet.destinationPort);
    default:
      return option.startsWith('--arp-') && packet.arp === undefined ? 'no' : 'unknown';
  }
}

const isArp = (value: string): boolean => /^(?:arp|0x0?806)$/i.test(value);
const isIpv6 = (value: string): boolean => /^(?:ipv6|0x86dd)$/i.test(value);

/** `tap+` stands for every device that begins so. */
function device(wanted: string, found: string | undefined): Answer {
  if (found === undefined) return 'unknown';
  return answerOf(wanted.endsWith('+') ? found.startsWith(wanted.slice(0, -1)) : found === wanted);
}

function mac(wanted: string, found: string | undefined): Answer {
  return found === undefined || wanted.includes('/') ? 'unknown' : answerOf(sameMac(wanted, found));
}

function port(wanted: string, found: number | undefined): Answer {
  const [from, to = from] = wanted.split(':').map(Number);
  if (found === undefined || from === undefined || to === undefined || Number.isNaN(from + to)) return 'unknown';
  return answerOf(from <= found && found <= to);
}

export const isBuiltInEbtables = (chain: string): boolean =>
  /^(?:INPUT|OUTPUT|FORWARD|PREROUTING|POSTROUTING|BROUTING)$/.test(chain);

/** Rules of the bridge that a frame comes to, and built-in chains whose policy decides. */
export function walkEbtables(
  chains: readonly EbtablesChain[],
  packet: Packet,
): {
  readonly rules: ReadonlyMap<EbtablesRule, Exclude<Answer, 'no'>>;
  readonly policies: ReadonlyMap<EbtablesChain, Exclude<Answer, 'no'>>;
} {
  const rules = new Map<EbtablesRule, Exclude<Answer, 'no'>>();
  const policies = new Map<EbtablesChain, Exclude<Answer, 'no'>>();
  const hooks = hooksOf(packet);
  for (const table of new Set(chains.map((chain) => chain.table))) {
    const own = new Map(chains.filter((chain) => chain.table === table).map((chain) => [chain.name, chain]));
    const view: Chains<EbtablesRule> = {
      rulesOf: (name) => own.get(name)?.rules,
      matches: (rule) => ebtablesMatches(rule, packet),
      next: nextOf,
      seen: (rule, taken) => rules.set(rule, rules.get(rule) === 'yes' ? 'yes' : taken),
    };
    for (const chain of own.values()) {
      if (!isBuiltInEbtables(chain.name) || (hooks && !hooks.some((hook) => hook === chain.name))) continue;
      const left = follow(view, chain.name, hooks ? 'yes' : 'unknown');
      if (left !== 'no') policies.set(chain, left);
    }
  }
  return { rules, policies };
}

function nextOf(rule: EbtablesRule): Next {
  const { target } = rule;
  if (target === undefined || target === 'CONTINUE') return { kind: 'on' };
  if (target === 'RETURN') return { kind: 'returns' };
  if (target === 'ACCEPT' || target === 'DROP') return { kind: 'ends' };
  return { kind: 'jump', to: target };
}
