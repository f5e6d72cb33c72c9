import { ok, type Result } from '../../engine/result.ts';
import { linesOf, type ParseFailure, parseFailure } from './parsing.ts';

const WHAT = 'sysctl -e';

/** Output of `sysctl -e KEY…`: keys that the kernel does not have are absent (their module is not loaded). */
export function parseSysctl(stdout: string): Result<Readonly<Record<string, string>>, ParseFailure> {
  const entries: [string, string][] = [];
  for (const line of linesOf(stdout)) {
    if (line.trim() === '') continue;
    const matched = /^([\w./@-]+) =\s?(.*)$/.exec(line);
    if (matched === null) return parseFailure(WHAT, line);
    entries.push([matched[1] ?? '', (matched[2] ?? '').trim()]);
  }
  return ok(Object.fromEntries(entries));
}
