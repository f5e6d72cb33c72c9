import { ok, type Result } from '../../engine/result.ts';
import { linesOf, type ParseFailure, parseFailure, present, wordsOf } from './parsing.ts';

export interface EbtablesRule {
  readonly table: string;
  readonly chain: string;
  /** Position in its chain, from 1. */
  readonly index: number;
  readonly packets: number;
  readonly bytes: number;
  /** Matches and target as printed, without the chain and the counters. */
  readonly raw: string;
  /** ACCEPT, DROP, CONTINUE, RETURN or a chain. */
  readonly target?: string;
  readonly in?: string;
  readonly out?: string;
  /** `ARP`, `IPv4`, `IPv6`, or a number. */
  readonly protocol?: string;
  /** The fields above that are matched inverted (`-i ! tap…`). */
  readonly negated: readonly ('in' | 'out' | 'protocol')[];
}

export interface EbtablesChain {
  readonly table: string;
  readonly name: string;
  /** A chain that somebody made has one too. */
  readonly policy: string;
  readonly rules: readonly EbtablesRule[];
}

const WHAT = 'ebtables-save -c';

/** Output of `ebtables-save -c`, or of one or more `ebtables -t TABLE -L --Lc`. */
export function parseEbtables(stdout: string): Result<readonly EbtablesChain[], ParseFailure> {
  const chains = new Map<string, EbtablesChain & { readonly rules: EbtablesRule[] }>();
  let table = '';
  /** The chain under whose heading `-L` prints its rules. */
  let listed: string | undefined;
  for (const line of linesOf(stdout)) {
    const text = line.trim();
    if (text === '' || text.startsWith('#') || text === 'COMMIT') continue;
    const heading = /^\*(\w+)$/.exec(text) ?? /^Bridge table: (\w+)$/.exec(text);
    const chain = /^:(\S+) (\S+)$/.exec(text) ?? /^Bridge chain: (\S+), entries: \d+, policy: (\S+)$/.exec(text);
    if (heading !== null) {
      table = heading[1] ?? '';
      listed = undefined;
    } else if (chain !== null) {
      const [, name = '', policy = ''] = chain;
      chains.set(`${table} ${name}`, { table, name, policy, rules: [] });
      listed = text.startsWith(':') ? undefined : name;
    } else {
      const rule = countedRule(text, listed);
      const into = chains.get(`${table} ${rule?.chain}`);
      if (rule === undefined || into === undefined) return parseFailure(WHAT, line);
      into.rules.push(ruleOf(rule, table, into.rules.length + 1));
    }
  }
  return ok([...chains.values()]);
}

interface CountedRule {
  readonly chain: string;
  readonly raw: string;
  readonly packets: number;
  readonly bytes: number;
}

/**
 * Counters stand in front (nft backend: `[49:7412] -A CHAIN …`), behind (`… , pcnt = 49 -- bcnt = 7412` with `--Lc`),
 * or behind as an option (`… -c 49 7412`, legacy ebtables-save).
 */
function countedRule(text: string, listed: string | undefined): CountedRule | undefined {
  const before = /^\[(\d+):(\d+)\] /.exec(text);
  const behind = /(?: ,|,)? pcnt = (\d+) -- bcnt = (\d+)$/.exec(text) ?? / -c (\d+) (\d+)$/.exec(text);
  const counter = before ?? behind;
  const bare = text
    .slice(before?.[0].length ?? 0, text.length - (before === null ? (behind?.[0].length ?? 0) : 0))
    .trim();
  const appended = /^-A (\S+) ?(.*)$/.exec(bare);
  const chain = appended?.[1] ?? listed;
  const raw = appended === null ? bare : (appended[2] ?? '');
  if (chain === undefined || (appended === null && !raw.startsWith('-'))) return undefined;
  return { chain, raw, packets: Number(counter?.[1] ?? 0), bytes: Number(counter?.[2] ?? 0) };
}

function ruleOf({ chain, raw, packets, bytes }: CountedRule, table: string, index: number): EbtablesRule {
  const words = wordsOf(raw);
  const negated: ('in' | 'out' | 'protocol')[] = [];
  const value = (option: string, field: 'in' | 'out' | 'protocol'): string | undefined => {
    const at = words.indexOf(option);
    if (at < 0) return undefined;
    const inverted = words[at + 1] === '!' || words[at - 1] === '!';
    if (inverted) negated.push(field);
    return words[at + 1] === '!' ? words[at + 2] : words[at + 1];
  };
  const target = words.indexOf('-j');
  return present({
    table,
    chain,
    index,
    packets,
    bytes,
    raw,
    target: target < 0 ? undefined : words[target + 1],
    in: value('-i', 'in'),
    out: value('-o', 'out'),
    protocol: value('-p', 'protocol'),
    negated,
  });
}
