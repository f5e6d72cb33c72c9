import { ok, type Result } from '../../engine/result.ts';
import { linesOf, type ParseFailure, parseFailure } from './parsing.ts';

const WHAT = 'ip netns list';

/** Names of the network namespaces; `ip netns list` adds `(id: 10)` to those that have a link to this one. */
export function parseNetns(stdout: string): Result<readonly string[], ParseFailure> {
  const names: string[] = [];
  for (const line of linesOf(stdout)) {
    if (line.trim() === '') continue;
    const name = /^(\S+)(?:\s+\(id:\s*\d+\))?\s*$/.exec(line)?.[1];
    if (name === undefined) return parseFailure(WHAT, line);
    names.push(name);
  }
  return ok(names);
}
