import { ok, type Result } from '../../engine/result.ts';
import { isObject, linesOf, looksLikeJson, objectAt, type ParseFailure, parseFailure, readJson } from './parsing.ts';

const WHAT = 'nstat -asz';

/** Output of `nstat -asz` (or `-j`): the kernel's protocol counters by name, e.g. `TcpExtIPReversePathFilter`. */
export function parseNstat(stdout: string): Result<Readonly<Record<string, number>>, ParseFailure> {
  if (looksLikeJson(stdout)) return fromJson(stdout);
  const counters: [string, number][] = [];
  for (const line of linesOf(stdout)) {
    if (line.trim() === '' || line.startsWith('#')) continue;
    const matched = /^(\w+)\s+(\d+)\s+[\d.]+$/.exec(line.trim());
    if (matched === null) return parseFailure(WHAT, line);
    counters.push([matched[1] ?? '', Number(matched[2])]);
  }
  return ok(Object.fromEntries(counters));
}

function fromJson(stdout: string): Result<Readonly<Record<string, number>>, ParseFailure> {
  const parsed = readJson(WHAT, stdout);
  if (!parsed.ok) return parsed;
  const kernel = isObject(parsed.value) ? objectAt(parsed.value, 'kernel') : undefined;
  if (kernel === undefined) return parseFailure(WHAT, stdout);
  const counters = Object.entries(kernel).filter((entry): entry is [string, number] => typeof entry[1] === 'number');
  return ok(Object.fromEntries(counters));
}
