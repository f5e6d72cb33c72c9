import { ok, type Result } from '../../engine/result.ts';
import { decimal, linesOf, type ParseFailure, parseFailure, present, wordAfter, wordsOf } from './parsing.ts';

export interface IpsetEntry {
  /** An address, a prefix, `address,proto:port`, or the name of another set. */
  readonly entry: string;
  /** An exception: what it matches is not in the set. */
  readonly nomatch: boolean;
}

export interface Ipset {
  readonly name: string;
  /** `hash:net`, `hash:ip`, `list:set`, … */
  readonly type: string;
  readonly family?: 4 | 6;
  /** Entries it can hold. */
  readonly maxElements?: number;
  readonly entries: readonly IpsetEntry[];
}

const WHAT = 'ipset save';

/** Output of `ipset save` or `ipset list -o save`. */
export function parseIpsets(stdout: string): Result<readonly Ipset[], ParseFailure> {
  const sets = new Map<string, { set: Ipset; entries: IpsetEntry[] }>();
  for (const line of linesOf(stdout)) {
    const words = wordsOf(line);
    const [verb, name, what] = words;
    if (verb === undefined || verb.startsWith('#')) continue;
    if (name === undefined || what === undefined) return parseFailure(WHAT, line);
    if (verb === 'create') {
      const family = wordAfter(words, 'family');
      const entries: IpsetEntry[] = [];
      const set = present({
        name,
        type: what,
        family: family === 'inet6' ? 6 : family === 'inet' ? 4 : undefined,
        maxElements: decimal(wordAfter(words, 'maxelem')),
        entries,
      });
      sets.set(name, { set, entries });
    } else {
      const entries = verb === 'add' ? sets.get(name)?.entries : undefined;
      if (entries === undefined) return parseFailure(WHAT, line);
      entries.push({ entry: what, nomatch: words.slice(3).includes('nomatch') });
    }
  }
  return ok([...sets.values()].map(({ set }) => set));
}
