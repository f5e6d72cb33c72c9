import { ok, type Result } from '../../engine/result.ts';
import { decimal, type ParseFailure, parseFailure, wordsOf } from './parsing.ts';

export interface ConntrackUse {
  readonly count: number;
  readonly max: number;
}

/**
 * Output of `cat /proc/sys/net/netfilter/nf_conntrack_count /proc/sys/net/netfilter/nf_conntrack_max`: entries of this
 * namespace, and what the table holds.
 */
export function parseConntrackUse(stdout: string): Result<ConntrackUse, ParseFailure> {
  const [count, max, more] = wordsOf(stdout).map(decimal);
  if (count === undefined || max === undefined || more !== undefined) {
    return parseFailure('cat nf_conntrack_count nf_conntrack_max', stdout.trim());
  }
  return ok({ count, max });
}
