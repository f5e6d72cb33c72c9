import { ok, type Result } from '../../engine/result.ts';
import { decimal, linesOf, type ParseFailure, parseFailure } from './parsing.ts';

const WHAT = 'ethtool -S';

/** Output of `ethtool -S DEVICE`: the driver's own counters, by its own names. */
export function parseEthtoolStatistics(stdout: string): Result<Readonly<Record<string, number>>, ParseFailure> {
  const counters: [string, number][] = [];
  for (const line of linesOf(stdout)) {
    if (line.trim() === '' || /^(?:NIC|[\w-]+) statistics\b.*:$/.test(line.trim()) || line.startsWith('no stats'))
      continue;
    const colon = line.lastIndexOf(':');
    const value = decimal(line.slice(colon + 1).trim());
    if (colon < 0 || value === undefined) return parseFailure(WHAT, line);
    counters.push([line.slice(0, colon).trim(), value]);
  }
  return ok(Object.fromEntries(counters));
}
