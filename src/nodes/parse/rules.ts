import { ok, type Result } from '../../engine/result.ts';
import {
  type Json,
  linesOf,
  looksLikeJson,
  numberAt,
  type ParseFailure,
  parseFailure,
  present,
  readEach,
  textAt,
  wordAfter,
  wordsOf,
} from './parsing.ts';

/** A rule of the routing policy database (ip-rule(8)). */
export interface RoutingRule {
  readonly priority: number;
  readonly inverted: boolean;
  /** `all` or an address or prefix. */
  readonly from: string;
  readonly to?: string;
  readonly fwmark?: string;
  readonly iif?: string;
  readonly oif?: string;
  /** Table that is looked up; absent when the rule refuses. */
  readonly table?: string;
  /** `blackhole`, `unreachable`, `prohibit`, … instead of a look-up. */
  readonly action?: string;
}

const WHAT = 'ip -j rule';

/** Output of `ip -j rule`, or of `ip rule`. */
export function parseRules(stdout: string): Result<readonly RoutingRule[], ParseFailure> {
  return looksLikeJson(stdout) ? readEach(WHAT, stdout, ruleOf) : fromText(stdout);
}

function ruleOf(object: Json): RoutingRule | undefined {
  const priority = numberAt(object, 'priority');
  if (priority === undefined) return undefined;
  const mark = textAt(object, 'fwmark');
  const mask = textAt(object, 'fwmask');
  const table = numberAt(object, 'table');
  return present({
    priority,
    inverted: object.not !== undefined,
    from: prefixOf(object, 'src', 'srclen') ?? 'all',
    to: prefixOf(object, 'dst', 'dstlen'),
    fwmark: mark !== undefined && mask !== undefined ? `${mark}/${mask}` : mark,
    iif: textAt(object, 'iif'),
    oif: textAt(object, 'oif'),
    table: textAt(object, 'table') ?? (table === undefined ? undefined : String(table)),
    action: textAt(object, 'action'),
  });
}

function prefixOf(object: Json, address: string, length: string): string | undefined {
  const base = textAt(object, address);
  const prefix = numberAt(object, length);
  return base === undefined || prefix === undefined ? base : `${base}/${prefix}`;
}

function fromText(stdout: string): Result<readonly RoutingRule[], ParseFailure> {
  const rules: RoutingRule[] = [];
  for (const line of linesOf(stdout)) {
    if (line.trim() === '') continue;
    const matched = /^(\d+):\s+(.*)$/.exec(line);
    if (matched === null) return parseFailure(WHAT, line);
    const words = wordsOf(matched[2] ?? '');
    const last = words.at(-1);
    const looked = wordAfter(words, 'lookup') ?? wordAfter(words, 'table');
    rules.push(
      present({
        priority: Number(matched[1]),
        inverted: words[0] === 'not',
        from: wordAfter(words, 'from') ?? 'all',
        to: wordAfter(words, 'to'),
        fwmark: wordAfter(words, 'fwmark'),
        iif: wordAfter(words, 'iif'),
        oif: wordAfter(words, 'oif'),
        table: looked,
        action: looked === undefined ? last : undefined,
      }),
    );
  }
  return ok(rules);
}
