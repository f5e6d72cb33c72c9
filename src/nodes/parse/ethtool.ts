import { ok, type Result } from '../../engine/result.ts';
import { linesOf, type ParseFailure, parseFailure } from './parsing.ts';

const WHAT = 'ethtool -S';

/** Output of `ethtool -S DEVICE`: the driver's own counters, by its own names. */
export function parseEthtoolStatistics(stdout: string): Result<Readonly<Record<string, number>>, ParseFailure> {
  const counters: [string, number][] = [];
  for (const line of linesOf(stdout)) {
    if (line.trim() === '' || /^(?:NIC|[\w-]+) statistics\b.*:$/.test(line.trim()) || line.startsWith('no stats'))
      continue;
    const matched = /^\s*(\S.*?)\s*: (\d+)\s*$/.exec(line);
    if (matched === null) return parseFailure(WHAT, line);
    counters.push([matched[1] ?? '', Number(matched[2])]);
  }
  return ok(Object.fromEntries(counters));
}
