import type { FactFailure } from '../../engine/failure.ts';
import { err, ok, type Result } from '../../engine/result.ts';

/** What every parser of command output returns when the output is not what the command prints. */
export type ParseFailure = Extract<FactFailure, { kind: 'parse' }>;

const LINE_LIMIT = 200;

/** `what`: the command as an operator would type it; `line`: the first line that was not understood. */
export function parseFailure(what: string, line: string): { readonly ok: false; readonly error: ParseFailure } {
  const shown = line.length > LINE_LIMIT ? `${line.slice(0, LINE_LIMIT)}…` : line;
  return err({ kind: 'parse', what, line: shown });
}

/** `value`: the part of a JSON answer that is not what the command prints. */
export function jsonFailure(what: string, value: unknown): { readonly ok: false; readonly error: ParseFailure } {
  return parseFailure(what, jsonText(value));
}

/** JSON of a parsed value, or nothing when it is nested too deep to be written. */
export function jsonText(value: unknown): string {
  try {
    return JSON.stringify(value) ?? '';
  } catch {
    return '';
  }
}

/** Lines without their ends (LF or CRLF); a last empty line is not a line. */
export function linesOf(stdout: string): readonly string[] {
  const lines = stdout.split(/\r?\n/);
  if (lines.at(-1) === '') lines.pop();
  return lines;
}

export type Json = Readonly<Record<string, unknown>>;

/** True when the output begins like JSON; commands too old for `-j` answer in their text form instead. */
export function looksLikeJson(stdout: string): boolean {
  return /^\s*[[{]/.test(stdout);
}

export function readJson(what: string, stdout: string): Result<unknown, ParseFailure> {
  try {
    return ok(JSON.parse(stdout) as unknown);
  } catch {
    return parseFailure(what, linesOf(stdout).find((line) => line.trim() !== '') ?? '');
  }
}

/**
 * The list of objects that `ip -j`, `bridge -j` and `tc -j` print. Old iproute2 prints `{}` for an object that its
 * filter left out, and nothing at all for an empty list.
 */
export function readJsonObjects(what: string, stdout: string): Result<readonly Json[], ParseFailure> {
  if (stdout.trim() === '') return ok([]);
  const parsed = readJson(what, stdout);
  if (!parsed.ok) return parsed;
  if (!Array.isArray(parsed.value)) return parseFailure(what, stdout);
  const objects: Json[] = [];
  for (const item of parsed.value as readonly unknown[]) {
    if (!isObject(item)) return jsonFailure(what, item);
    if (Object.keys(item).length > 0) objects.push(item);
  }
  return ok(objects);
}

/** What `read` makes of each object of such a list; where it makes nothing of one, the list is none that we know. */
export function readEach<T>(
  what: string,
  stdout: string,
  read: (object: Json) => T | undefined,
): Result<readonly T[], ParseFailure> {
  const objects = readJsonObjects(what, stdout);
  if (!objects.ok) return objects;
  const found: T[] = [];
  for (const object of objects.value) {
    const one = read(object);
    if (one === undefined) return jsonFailure(what, object);
    found.push(one);
  }
  return ok(found);
}

export function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function textAt(object: Json, key: string): string | undefined {
  const value = object[key];
  return typeof value === 'string' ? value : undefined;
}

export function numberAt(object: Json, key: string): number | undefined {
  const value = object[key];
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined;
}

export function objectAt(object: Json, key: string): Json | undefined {
  const value = object[key];
  return isObject(value) ? value : undefined;
}

export function textsAt(object: Json, key: string): readonly string[] {
  const value = object[key];
  return Array.isArray(value) ? value.filter((item): item is string => typeof item === 'string') : [];
}

export function objectsAt(object: Json, key: string): readonly Json[] {
  const value = object[key];
  return Array.isArray(value) ? value.filter(isObject) : [];
}

/** A non-negative decimal number, or nothing. */
export function decimal(text: string | undefined): number | undefined {
  return text !== undefined && /^\d+$/.test(text) ? Number(text) : undefined;
}

/** A number that may be written in hex (`0x12f`) or decimal, or nothing. */
export function integer(text: string | undefined): number | undefined {
  return text !== undefined && /^(?:0x[0-9a-f]+|\d+)$/i.test(text) ? Number(text) : undefined;
}

type Present<T> = { readonly [K in keyof T as undefined extends T[K] ? never : K]: T[K] } & {
  readonly [K in keyof T as undefined extends T[K] ? K : never]?: Exclude<T[K], undefined>;
};

/** The object without the keys whose value is undefined: an absent thing is an absent key. */
export function present<const T extends object>(object: T): Present<T> {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined)) as Present<T>;
}

/** `words` as `key value key value …`: the word that follows `key`. */
export function wordAfter(words: readonly string[], key: string): string | undefined {
  const at = words.indexOf(key);
  return at < 0 ? undefined : words[at + 1];
}

/** Words of a line, split at white space. */
export function wordsOf(line: string): readonly string[] {
  const trimmed = line.trim();
  return trimmed === '' ? [] : trimmed.split(/\s+/);
}
