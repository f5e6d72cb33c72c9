import { isNode, LineCounter, parseDocument } from 'yaml';
import type { core } from 'zod';
import { UserError } from '../engine/error.ts';
import { err, ok, type Result } from '../engine/result.ts';
import { type Config, configSchema } from './schema.ts';

/** Edit distance with swaps of neighbours (optimal string alignment). */
export function distance(a: string, b: string): number {
  let before: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1];
      let least = Math.min((row[j - 1] ?? 0) + 1, (last[j] ?? 0) + 1, (last[j - 1] ?? 0) + (same ? 0 : 1));
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        least = Math.min(least, (before[j - 2] ?? 0) + 1);
      row.push(least);
    }
    before = last;
    last = row;
  }
  return last[b.length] ?? 0;
}

/** The word that was probably meant; nothing when none is near. Case, `-` and `_` do not count. */
export function nearest(wrong: string, words: readonly string[]): string | undefined {
  const plain = (word: string) => word.toLowerCase().replace(/[-_]/g, '');
  const ranked = words
    .map((word) => ({ word, far: distance(plain(wrong), plain(word)) }))
    .sort((a, b) => a.far - b.far);
  const best = ranked[0];
  return best !== undefined && best.far <= Math.max(1, Math.floor(wrong.length / 3)) ? best.word : undefined;
}

/** Keys that may stand at this path of the schema. */
function keysAt(schema: core.$ZodType, path: readonly PropertyKey[]): readonly string[] {
  const def = schema._zod.def as {
    type: string;
    innerType?: core.$ZodType;
    shape?: Record<string, core.$ZodType>;
    valueType?: core.$ZodType;
  };
  if (def.innerType !== undefined) return keysAt(def.innerType, path);
  const [first, ...rest] = path;
  if (first === undefined) return Object.keys(def.shape ?? {});
  const next = def.shape?.[String(first)] ?? def.valueType;
  return next === undefined ? [] : keysAt(next, rest);
}

const dotted = (path: readonly PropertyKey[]): string => path.map(String).join('.');

function explain(issue: core.$ZodIssue): { readonly path: readonly PropertyKey[]; readonly text: string } {
  switch (issue.code) {
    case 'unrecognized_keys': {
      const key = issue.keys[0] ?? '';
      const known = keysAt(configSchema, issue.path);
      const meant = nearest(key, known);
      const also = known.length === 0 ? '' : ` (known: ${known.join(', ')})`;
      return {
        path: [...issue.path, key],
        text: `unknown key "${key}"${meant === undefined ? also : `, did you mean "${meant}"?`}`,
      };
    }
    case 'invalid_value': {
      const values = issue.values.map(String);
      const given = typeof issue.input === 'string' ? issue.input : undefined;
      const meant = given === undefined ? undefined : nearest(given, values);
      return {
        path: issue.path,
        text: `${dotted(issue.path)} must be one of ${values.join(', ')}${meant === undefined ? '' : `; did you mean "${meant}"?`}`,
      };
    }
    case 'invalid_union': {
      const inner = issue.errors.flat().find((each) => each.code !== 'invalid_type');
      return { path: issue.path, text: `${dotted(issue.path)}: ${inner?.message ?? issue.message}` };
    }
    default:
      return {
        path: issue.path,
        text:
          issue.path.length === 0
            ? issue.message.replace(/^Invalid input: /, '')
            : `${dotted(issue.path)}: ${issue.message.replace(/^Invalid input: /, '')}`,
      };
  }
}

/**
 * @param text YAML 1.2 without custom tags
 * @returns the configuration, or what is wrong, at which line and column
 */
export function parseConfig(text: string, file: string): Result<Config, UserError> {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, strict: true, logLevel: 'silent' });
  const place = (offset: number): string => {
    const { line, col } = lines.linePos(offset);
    return `${file}:${line}:${col}`;
  };
  const broken = document.errors[0] ?? document.warnings[0];
  if (broken !== undefined) {
    const why = broken.message.split('\n')[0]?.replace(/ at line \d+, column \d+:?$/, '') ?? '';
    return err(new UserError('the configuration is not YAML', { where: place(broken.pos[0]), why }));
  }
  let value: unknown;
  try {
    value = document.toJS({ maxAliasCount: 20 });
  } catch (error) {
    return err(
      new UserError('the configuration is not YAML', {
        where: file,
        why: error instanceof Error ? error.message : String(error),
      }),
    );
  }
  const parsed = configSchema.safeParse(value ?? {}, { reportInput: true });
  if (parsed.success) return ok(parsed.data);

  const [issue] = parsed.error.issues;
  if (issue === undefined) throw parsed.error;
  const { path, text: why } = explain(issue);
  let offset = 0;
  for (let length = path.length; length >= 0; length--) {
    const at = length === path.length && issue.code === 'unrecognized_keys' ? keyOffset(document, path) : undefined;
    const node = length === 0 ? document.contents : document.getIn(path.slice(0, length).map(String), true);
    if (at !== undefined || (isNode(node) && node.range)) {
      offset = at ?? (isNode(node) ? (node.range?.[0] ?? 0) : 0);
      break;
    }
  }
  return err(new UserError('the configuration has a mistake', { where: place(offset), why }));
}

/** Where a key itself stands; its value may be lines below. */
function keyOffset(document: ReturnType<typeof parseDocument>, path: readonly PropertyKey[]): number | undefined {
  const parent = path.length === 1 ? document.contents : document.getIn(path.slice(0, -1).map(String), true);
  if (typeof parent !== 'object' || parent === null || !('items' in parent) || !Array.isArray(parent.items))
    return undefined;
  const wanted = String(path.at(-1));
  for (const pair of parent.items as readonly { key?: unknown }[]) {
    if (isNode(pair.key) && 'value' in pair.key && String(pair.key.value) === wanted) return pair.key.range?.[0];
  }
  return undefined;
}
