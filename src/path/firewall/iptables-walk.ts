import type {
  IptablesChain,
  IptablesDump,
  IptablesMatch,
  IptablesRule,
  PortRange,
} from '../../nodes/parse/iptables.ts';
import { cidrContains, cidrsOverlap, type Family, sameMac } from '../addresses.ts';
import { type Chains, follow, type Next } from './follow.ts';
import {
  type Answer,
  all,
  answerOf,
  type Hook,
  not,
  type Packet,
  protocolNumber,
  standsForEveryProtocol,
} from './packet.ts';

/** Could this rule take the packet, all by itself? What comes before it in its chain is not looked at. */
export function ruleMatches(rule: IptablesRule, packet: Packet): Answer {
  const answers = CONDITIONS.map(([field, holds]) => {
    if (rule[field] === undefined) return 'yes';
    const answer = holds(rule, packet);
    return rule.negated.includes(field) ? not(answer) : answer;
  });
  if (rule.otherMatches.length > 0) answers.push('unknown');
  return all(answers);
}

type Condition = (rule: IptablesMatch, packet: Packet) => Answer;

const CONDITIONS: readonly (readonly [keyof IptablesMatch, Condition])[] = [
  ['in', (rule, packet) => device(rule.in, packet.in)],
  ['out', (rule, packet) => device(rule.out, packet.out)],
  ['physdevIn', (rule, packet) => device(rule.physdevIn, packet.bridgeIn)],
  ['physdevOut', (rule, packet) => device(rule.physdevOut, packet.bridgeOut)],
  ['bridged', (_, packet) => ((packet.bridgeIn ?? packet.bridgeOut) === undefined ? 'unknown' : 'yes')],
  ['source', (rule, packet) => address(rule.source, packet.source, packet.family)],
  ['destination', (rule, packet) => address(rule.destination, packet.destination, packet.family)],
  ['protocol', (rule, packet) => protocol(rule.protocol, packet)],
  ['sport', (rule, packet) => port(rule.sport, packet.sourcePort)],
  ['dport', (rule, packet) => port(rule.dport, packet.destinationPort)],
  ['icmpType', (rule, packet) => icmpType(rule.icmpType, packet)],
  ['macSource', (rule, packet) => mac(rule.macSource, packet.sourceMac)],
  ['ctstate', (rule, packet) => (packet.state ? answerOf(rule.ctstate?.includes(packet.state) ?? false) : 'unknown')],
  ['matchSet', () => 'unknown'],
  ['mark', () => 'unknown'],
];

/** `tap+` stands for every device that begins so. */
function device(wanted: string | undefined, found: string | undefined): Answer {
  if (wanted === undefined || wanted === '+') return 'yes';
  if (found === undefined) return 'unknown';
  return answerOf(wanted.endsWith('+') ? found.startsWith(wanted.slice(0, -1)) : found === wanted);
}

export function address(wanted: string | undefined, found: string | undefined, family: Family): Answer {
  if (wanted === undefined) return 'yes';
  if (found === undefined) return cidrsOverlap(wanted, family === 4 ? '0.0.0.0/0' : '::/0') ? 'unknown' : 'no';
  if (cidrContains(wanted, found)) return 'yes';
  return cidrsOverlap(wanted, found) ? 'unknown' : 'no';
}

function protocol(wanted: string | undefined, packet: Packet): Answer {
  if (wanted === undefined || standsForEveryProtocol(wanted)) return 'yes';
  const number = protocolNumber(wanted, packet.family);
  const found = protocolNumber(packet.protocol, packet.family);
  return number === undefined || found === undefined ? 'unknown' : answerOf(number === found);
}

function port(wanted: readonly PortRange[] | undefined, found: number | undefined): Answer {
  if (wanted === undefined) return 'yes';
  if (found === undefined) return 'unknown';
  return answerOf(wanted.some(({ from, to }) => from <= found && found <= to));
}

function icmpType(wanted: string | undefined, packet: Packet): Answer {
  if (wanted === undefined || wanted === 'any') return 'yes';
  const type = Number(wanted.split('/')[0]);
  if (packet.icmpType === undefined || Number.isNaN(type)) return 'unknown';
  if (type !== packet.icmpType) return 'no';
  return wanted.includes('/') ? 'unknown' : 'yes';
}

function mac(wanted: string | undefined, found: string | undefined): Answer {
  if (wanted === undefined) return 'yes';
  return found === undefined ? 'unknown' : answerOf(sameMac(wanted, found));
}

const HOOKS: readonly string[] = ['PREROUTING', 'INPUT', 'FORWARD', 'OUTPUT', 'POSTROUTING'] satisfies Hook[];

export const isBuiltIn = (chain: string): boolean => HOOKS.includes(chain);

/** Targets after which no further rule of the table sees the packet. */
const LAST = new Set([
  'ACCEPT',
  'DROP',
  'REJECT',
  'QUEUE',
  'NFQUEUE',
  'DNAT',
  'SNAT',
  'REDIRECT',
  'MASQUERADE',
  'NETMAP',
  'TPROXY',
  'TARPIT',
]);

/** Which rules and policies of a dump a packet comes to, and takes. */
export interface Walk {
  /** Rules that may take the packet; a rule that is not here surely does not. */
  readonly rules: ReadonlyMap<IptablesRule, Exclude<Answer, 'no'>>;
  /** Built-in chains whose policy decides. */
  readonly policies: ReadonlyMap<IptablesChain, Exclude<Answer, 'no'>>;
}

/** A bridged packet (br_netfilter) is forwarded, unless we are told otherwise. */
export function hooksOf(packet: Packet): readonly Hook[] | undefined {
  const bridged = packet.bridgeIn !== undefined || packet.bridgeOut !== undefined;
  return packet.hooks ?? (bridged ? ['PREROUTING', 'FORWARD', 'POSTROUTING'] : undefined);
}

/** Follows a packet through every table and hook that it passes. One table does not know what another did. */
export function walk(dump: IptablesDump, packet: Packet): Walk {
  const rules = new Map<IptablesRule, Exclude<Answer, 'no'>>();
  const policies = new Map<IptablesChain, Exclude<Answer, 'no'>>();
  const hooks = hooksOf(packet);
  for (const table of dump.tables) {
    const chains = new Map(table.chains.map((chain) => [chain.name, chain]));
    const view: Chains<IptablesRule> = {
      rulesOf: (name) => chains.get(name)?.rules,
      matches: (rule) => ruleMatches(rule, packet),
      next: nextOf,
      seen: (rule, taken) => rules.set(rule, rules.get(rule) === 'yes' ? 'yes' : taken),
    };
    for (const chain of table.chains) {
      if (!isBuiltIn(chain.name) || (hooks && !hooks.some((hook) => hook === chain.name))) continue;
      const left = follow(view, chain.name, hooks ? 'yes' : 'unknown');
      if (left !== 'no') policies.set(chain, left);
    }
  }
  return { rules, policies };
}

function nextOf(rule: IptablesRule): Next {
  const { target } = rule;
  if (target === undefined) return { kind: 'on' };
  if (target === 'RETURN') return { kind: 'returns' };
  if (LAST.has(target)) return { kind: 'ends' };
  return { kind: rule.goto ? 'goto' : 'jump', to: target };
}
