import type { Evidence } from '../../engine/evidence.ts';
import type { RulesOfHost } from '../../facts/rules.ts';
import {
  type Counted,
  countedEbtables,
  countedFlows,
  countedIptables,
  countedNft,
  counterDelta,
} from '../../path/firewall/counters.ts';
import type { Stranger } from '../../path/firewall/strangers.ts';

/** Every counter of a host's rules, by the keys that strangers carry. */
export const countersOfRules = ({ rules }: RulesOfHost): readonly Counted[] => [
  ...(rules.iptables ?? []).flatMap((d) => countedIptables(d.dump, d.family, d.netns)),
  ...(rules.nft ?? []).flatMap((n) => countedNft(n.ruleset, n.netns)),
  ...(rules.ebtables === undefined ? [] : countedEbtables(rules.ebtables)),
  ...(rules.bridges ?? []).flatMap((b) => countedFlows(b.name, b.flows)),
];

/** By how much one rule rose between two readings; undefined when it counts nothing. */
export function riseOf(before: readonly Counted[], after: readonly Counted[], key: string): number | undefined {
  if (!after.some((c) => c.key === key)) return undefined;
  return counterDelta(before, after).find((r) => r.counted.key === key)?.packets ?? 0;
}

/** The observation a stranger was read from. */
export function evidenceFor(rules: RulesOfHost, stranger: Stranger): Evidence | undefined {
  const [first = ''] = stranger.where.split(' ');
  return rules.evidence.get(first) ?? rules.evidence.get(placeOf(stranger));
}

const placeOf = (stranger: Stranger): string => {
  switch (stranger.tool) {
    case 'iptables':
      return 'iptables';
    case 'nft':
      return 'nft';
    case 'ebtables':
      return 'ebtables';
    case 'tc':
      return 'tc';
    case 'ovs':
      return stranger.where.split(' ')[0] ?? '';
  }
};
