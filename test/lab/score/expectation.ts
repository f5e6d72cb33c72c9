import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';

export const variants = ['lb', 'ovs', 'ovsfw', 'ovn'] as const;
export type Variant = (typeof variants)[number];

const codes = z.array(z.string().regex(/^OSD-[A-Z0-9]+-\d{3}$/));
const words = z.union([z.string(), z.number()]).transform(String);

/** One expect.yaml, as test/lab/README.md describes it. A key it does not know is a slip of the pen. */
const schema = z.strictObject({
  title: z.string(),
  area: z.enum(['A', 'B', 'C', 'D', 'E', 'F', 'G']),
  variants: z.array(z.enum(variants)).min(1),
  target: words.nullable().default(null),
  flags: z.array(words).default([]),
  first: codes.default([]),
  localised: codes.default([]),
  also: z.array(z.union([z.string().transform((one) => [one]), codes])).default([]),
  never: codes.default([]),
  subject: z
    .union([words.transform((one) => [one]), z.array(words)])
    .nullable()
    .default(null),
  clean: z.boolean().default(false),
  unsettled: z.string().optional(),
});

/** What the doctor should make of a fault. */
export type Expectation = z.infer<typeof schema>;

/** @throws Error that names what is wrong with the text of an expect.yaml */
export function parseExpectation(text: string): Expectation {
  const read = schema.safeParse(parse(text));
  if (!read.success) throw new Error(z.prettifyError(read.error));
  const e = read.data;
  if (e.clean && e.first.length + e.localised.length + e.also.length > 0)
    throw new Error('clean: the doctor is to name nothing, so no code can be expected');
  return e;
}

/** The faults of a folder by name, and what is wrong with the expect.yaml of those that cannot be read. */
export function readExpectations(folder: string): {
  readonly all: ReadonlyMap<string, Expectation>;
  readonly broken: ReadonlyMap<string, string>;
} {
  const all = new Map<string, Expectation>();
  const broken = new Map<string, string>();
  for (const entry of readdirSync(folder, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1))) {
    if (!entry.isDirectory()) continue;
    try {
      all.set(entry.name, parseExpectation(readFileSync(join(folder, entry.name, 'expect.yaml'), 'utf8')));
    } catch (e) {
      broken.set(entry.name, e instanceof Error ? e.message : String(e));
    }
  }
  return { all, broken };
}

/** Can the doctor's answer to this fault be judged in this variant? */
export const scorable = (e: Expectation, variant: Variant): boolean =>
  e.variants.includes(variant) && e.target !== null && (e.clean || e.first.length > 0 || e.localised.length > 0);

/** `$NAME` in a word: a name of the running cloud (lib.sh, ids). Undefined when the cloud has no such name. */
export function withNames(word: string, names: ReadonlyMap<string, string>): string | undefined {
  let missing = false;
  const filled = word.replace(/\$(\w+)/g, (_, key: string) => {
    const value = names.get(key);
    if (value === undefined) missing = true;
    return value ?? '';
  });
  return missing ? undefined : filled;
}

/** What the doctor is asked: a target, its flags, and as whom (`openrc` or `openrc-WHO`, for a flag `@WHO`). */
export interface Question {
  readonly target: string;
  readonly flags: readonly string[];
  readonly openrc: string;
}

/** Undefined when a word holds a `$NAME` that the running cloud does not have. */
export function question(words: readonly string[], names: ReadonlyMap<string, string>): Question | undefined {
  const filled = words.map((word) => withNames(word, names));
  if (filled.some((word) => word === undefined)) return undefined;
  const [target, ...rest] = filled.filter((word) => word !== undefined);
  if (target === undefined) return undefined;
  const who = rest.find((word) => word.startsWith('@'))?.slice(1);
  return {
    target,
    flags: rest.filter((word) => !word.startsWith('@')),
    openrc: who === undefined ? 'openrc' : `openrc-${who}`,
  };
}

/** The lines of healthy-targets that this cloud can answer, each with how it is written there. */
export const healthyQuestions = (text: string, names: ReadonlyMap<string, string>): [string, Question][] =>
  text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'))
    .flatMap((line) => {
      const asked = question(line.split(/\s+/), names);
      return asked === undefined ? [] : [[line, asked] as [string, Question]];
    });
