import type { EbtablesChain } from '../../nodes/parse/ebtables.ts';
import type { Flow } from '../../nodes/parse/flows.ts';
import type { IptablesDump } from '../../nodes/parse/iptables.ts';
import type { NftRuleset } from '../../nodes/parse/nft.ts';
import type { Qdisc } from '../../nodes/parse/tc.ts';
import type { Family } from '../addresses.ts';
import { isBuiltIn } from './iptables-walk.ts';
import type { NodeRules } from './strangers/stranger.ts';

/** A rule, flow or policy that counts what it takes. */
export interface Counted {
  /** The same for the same rule in two dumps of the same host; two equal rules of a chain are told apart. */
  readonly key: string;
  /** `filter FORWARD #1`, `br-int table 71`. */
  readonly where: string;
  readonly raw: string;
  readonly packets: number;
  readonly bytes: number;
  /** What it does with what it takes: DROP, a chain, `drop`, …; empty for a rule that only counts. */
  readonly target: string;
}

export interface Rise {
  readonly counted: Counted;
  readonly packets: number;
  readonly bytes: number;
  /**
   * counted: both dumps have it. new: only the second has it. reset: it counted less than before, so somebody made the
   * rule anew and what is told is the least it can be.
   */
  readonly how: 'counted' | 'new' | 'reset';
}

/** What counted between two looks, the greatest rise first. */
export function counterDelta(before: readonly Counted[], after: readonly Counted[]): readonly Rise[] {
  const earlier = new Map(before.map((counted) => [counted.key, counted]));
  const rises: Rise[] = [];
  for (const counted of after) {
    const was = earlier.get(counted.key);
    const reset = was !== undefined && counted.packets < was.packets;
    const from = was === undefined || reset ? { packets: 0, bytes: 0 } : was;
    const packets = counted.packets - from.packets;
    if (packets === 0) continue;
    const how = was === undefined ? 'new' : reset ? 'reset' : 'counted';
    rises.push({ counted, packets, bytes: counted.bytes - from.bytes, how });
  }
  return rises.sort((a, b) => b.packets - a.packets);
}

/** Tells equal rules of one dump apart by their order: `text`, `text #2`, … */
export function keys(): (text: string) => string {
  const times = new Map<string, number>();
  return (text) => {
    const nth = (times.get(text) ?? 0) + 1;
    times.set(text, nth);
    return nth === 1 ? text : `${text} #${nth}`;
  };
}

export const iptablesPlace = (family: Family, netns: string | undefined): string =>
  `${netns === undefined ? '' : `${netns} `}${family === 6 ? 'ip6tables ' : ''}`;

/** Rules and policies of one `iptables-save -c`. */
export function countedIptables(dump: IptablesDump, family: Family, netns?: string): readonly Counted[] {
  const key = keys();
  const place = iptablesPlace(family, netns);
  return dump.tables.flatMap(({ chains }) =>
    chains.flatMap((chain) => {
      const rules: Counted[] = chain.rules.map((rule) => ({
        key: key(`${place}${rule.table} ${rule.raw}`),
        where: `${place}${rule.table} ${rule.chain} #${rule.index}`,
        raw: rule.raw,
        packets: rule.packets,
        bytes: rule.bytes,
        target: rule.target ?? '',
      }));
      if (!isBuiltIn(chain.name)) return rules;
      const raw = `-P ${chain.name} ${chain.policy ?? ''}`;
      const { packets, bytes } = chain;
      const where = `${place}${chain.table} ${chain.name} policy`;
      return [
        ...rules,
        { key: `${place}${chain.table} -P ${chain.name}`, where, raw, packets, bytes, target: chain.policy ?? '' },
      ];
    }),
  );
}

export function countedFlows(bridge: string, flows: readonly Flow[]): readonly Counted[] {
  const key = keys();
  return flows.map(({ table, raw, packets, bytes, actions }) => ({
    key: key(`${bridge} ${raw}`),
    where: `${bridge} table ${table}`,
    raw,
    packets,
    bytes,
    target: actions,
  }));
}

export function countedEbtables(chains: readonly EbtablesChain[]): readonly Counted[] {
  const key = keys();
  return chains.flatMap(({ rules }) =>
    rules.map(({ table, chain, index, raw, packets, bytes, target = '' }) => ({
      key: key(`ebtables ${table} ${chain} ${raw}`),
      where: `ebtables ${table} ${chain} #${index}`,
      raw,
      packets,
      bytes,
      target,
    })),
  );
}

/** Rules of nft that have a counter; those of iptables-nft count in iptables. */
export function countedNft(ruleset: NftRuleset, netns?: string): readonly Counted[] {
  const key = keys();
  const place = netns === undefined ? '' : `${netns} `;
  return ruleset.tables
    .filter(({ iptables }) => !iptables)
    .flatMap(({ chains }) => chains)
    .flatMap(({ rules }) => rules)
    .flatMap((rule) => {
      if (rule.packets === undefined) return [];
      const chain = `${place}nft ${rule.family} ${rule.table} ${rule.chain}`;
      return {
        key: key(`${chain} ${rule.handle ?? rule.expression}`),
        where: `${chain}${rule.handle === undefined ? '' : ` handle ${rule.handle}`}`,
        raw: rule.expression,
        packets: rule.packets,
        bytes: rule.bytes ?? 0,
        target: rule.verdict ?? '',
      };
    });
}

const SHAPING = new Set(['tbf', 'htb', 'hfsc', 'cbq']);

/** What queues dropped, and what filters took. An ingress or clsact queue counts what its filters drop (Linux net/core/dev.c). */
export function countedTc({ qdiscs = [], filters = [] }: Pick<NodeRules, 'qdiscs' | 'filters'>): readonly Counted[] {
  return [
    ...qdiscs.map((qdisc) => ({
      key: qdiscKey(qdisc),
      where: `${qdisc.netns === undefined ? '' : `${qdisc.netns} `}tc ${qdisc.dev} ${qdisc.kind}`,
      raw: `qdisc ${qdisc.kind} ${qdisc.handle} dev ${qdisc.dev}`,
      // What a shaper holds back it counts as over its limit, whether or not it drops it in the end.
      packets: qdisc.drops + (SHAPING.has(qdisc.kind) ? qdisc.overlimits : 0),
      bytes: 0,
      target: 'drop',
    })),
    ...filters.flatMap(({ dev, netns, direction, filters: list }) =>
      list.map((filter) => {
        const place = `${netns === undefined ? '' : `${netns} `}tc ${dev} ${direction}`;
        const at = `${direction} protocol ${filter.protocol} pref ${filter.pref}`;
        return {
          key: `${place} ${at} ${filter.kind}`,
          where: place,
          raw: `filter ${at} ${filter.kind} ${filter.actions.join(' ')}`,
          packets: filter.actions.includes('redirect') ? filter.packets : filter.drops,
          bytes: 0,
          target: filter.actions.join(' '),
        };
      }),
    ),
  ];
}

/** The text that a queue is known by, in two readings and to those who name it. */
export const qdiscKey = ({ dev, netns, kind, handle }: Qdisc): string =>
  `${netns === undefined ? '' : `${netns} `}tc ${dev} ${kind} ${handle}`;
