import type { Evidence } from '../../engine/evidence.ts';
import type { RulesOfHost } from '../../facts/rules.ts';
import type { SecondLook } from '../../facts/second-look.ts';
import {
  type Counted,
  countedEbtables,
  countedFlows,
  countedIptables,
  countedNft,
  countedTc,
  counterDelta,
} from '../../path/firewall/counters.ts';
import type { Round } from '../../path/firewall/rises.ts';
import type { Stranger } from '../../path/firewall/strangers/stranger.ts';

/** Every counter of a host's rules, by the keys that strangers carry. */
export const countersOfRules = ({ rules }: RulesOfHost): readonly Counted[] => [
  ...(rules.iptables ?? []).flatMap((d) => countedIptables(d.dump, d.family, d.netns)),
  ...(rules.nft ?? []).flatMap((n) => countedNft(n.ruleset, n.netns)),
  ...(rules.ebtables === undefined ? [] : countedEbtables(rules.ebtables)),
  ...(rules.bridges ?? []).flatMap((b) => countedFlows(b.name, b.flows)),
  ...countedTc(rules),
];

/** By how much one rule rose between two readings; undefined when it counts nothing. */
export function riseOf(before: readonly Counted[], after: readonly Counted[], key: string): number | undefined {
  if (!after.some((c) => c.key === key)) return undefined;
  return counterDelta(before, after).find((r) => r.counted.key === key)?.packets ?? 0;
}

/** What was lost in each repetition whose counters were read on both sides: one or two. */
export function roundsOf(look: SecondLook): readonly Round[] {
  const first: Round = {
    lost: look.repeated.map((r) => r.again.sent - r.again.received),
    sent: look.repeated.map((r) => r.again.sent),
  };
  if (look.between.size === 0) return [first];
  const second: Round = {
    lost: look.repeated.map((r) => (r.onceMore === undefined ? 0 : r.onceMore.sent - r.onceMore.received)),
    sent: look.repeated.map((r) => r.onceMore?.sent ?? 0),
  };
  return [first, second];
}

/** The readings of one host in their order: two, or three where the middle one could be made. */
export function readingsOf<T>(
  look: SecondLook,
  host: string,
  of: (counters: NonNullable<ReturnType<SecondLook['after']['get']>>) => T,
): readonly T[] {
  const readings = look.between.size === 0 ? [look.before, look.after] : [look.before, look.between, look.after];
  return readings.flatMap((reading) => {
    const there = reading.get(host);
    return there === undefined ? [] : [of(there)];
  });
}

/** The rises of one counter from reading to reading; undefined when it counts nothing. */
export function risesOf(readings: readonly (readonly Counted[])[], key: string): readonly number[] | undefined {
  const rises: number[] = [];
  for (let at = 1; at < readings.length; at += 1) {
    const rise = riseOf(readings[at - 1] ?? [], readings[at] ?? [], key);
    if (rise === undefined) return undefined;
    rises.push(rise);
  }
  return rises;
}

/** The observation that a rule or a counter at this place was read from; `otherwise` is the place of what stands in no other. */
export function evidenceAt(rules: RulesOfHost, where: string, otherwise = 'iptables'): Evidence | undefined {
  const words = where.split(' ');
  for (let count = Math.min(4, words.length); count > 0; count -= 1) {
    const found = rules.evidence.get(words.slice(0, count).join(' '));
    if (found !== undefined) return found;
  }
  return rules.evidence.get(otherwise);
}

/** The observation a stranger was read from. */
export const evidenceFor = (rules: RulesOfHost, stranger: Stranger): Evidence | undefined =>
  evidenceAt(rules, stranger.where, stranger.tool);
