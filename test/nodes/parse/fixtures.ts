import { readdirSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { expect } from 'vitest';
import type { Result } from '../../../src/engine/result.ts';
import type { ParseFailure } from '../../../src/nodes/parse/parsing.ts';

const root = new URL('../../fixtures/', import.meta.url);

/** The bytes that a command really printed: `test/fixtures/<tool>/<name>`. */
export function fixture(tool: string, name: string): string {
  return readFileSync(new URL(`${tool}/${name}`, root), 'utf8');
}

/** All recorded outputs of a tool. */
export function fixtures(tool: string): readonly { readonly name: string; readonly text: string }[] {
  return readdirSync(new URL(`${tool}/`, root)).map((name) => ({ name, text: fixture(tool, name) }));
}

/** The value, or a failed test that shows the line which was not understood. */
export function understood<T>(result: Result<T, ParseFailure>): T {
  if (!result.ok) throw new Error(`not understood (${result.error.what}): ${result.error.line}`);
  return result.value;
}

/** Any code points at all; fast-check's own unit for that takes seconds to prepare. */
const anyText = fc.string({ unit: fc.integer({ min: 0, max: 0x10ffff }).map((point) => String.fromCodePoint(point)) });

const deep = `${'['.repeat(50_000)}${']'.repeat(50_000)}`;
/** Nesting that overflows a stack, and long runs that a careless expression reads again and again. */
const hostile: readonly string[] = [
  deep,
  `[{"deep":${deep}}]`,
  `{"nftables":[{"rule":{"expr":[{"match":{"left":${deep},"right":1}}]}}],"headings":["x"],"data":[[${deep}]]}`,
  ...[' ', '\n', '<', '<!--', '"', ':', 'a  ', '\u001b]', 'nexthop\n', 'port 1: x\n', 'ALERT! '].map((run) =>
    run.repeat(200_000 / run.length),
  ),
];

/**
 * Proves that a parser answers anything with a value or a parse failure: arbitrary text, lines that begin like the
 * real thing, and real outputs cut off or damaged anywhere.
 */
export function expectNeverThrows(
  parse: (stdout: string) => Result<unknown, ParseFailure>,
  samples: readonly string[],
): void {
  const answers = (text: string) => {
    const result = parse(text);
    if (!result.ok) expect(result.error.kind).toBe('parse');
  };
  for (const text of hostile) answers(text);
  fc.assert(fc.property(anyText, answers), { numRuns: 60 });
  fc.assert(fc.property(fc.json(), answers), { numRuns: 60 });
  const words = samples.flatMap((sample) => sample.split(/\s+/).slice(0, 200)).concat('');
  const text = fc
    .array(fc.tuple(fc.constantFrom(...words), fc.constantFrom(' ', '\n', '\t', '\n    ')), { maxLength: 30 })
    .map((pairs) => pairs.flat().join(''));
  fc.assert(fc.property(text, answers), { numRuns: 60 });
  for (const sample of samples) {
    const cut = fc.integer({ min: 0, max: sample.length });
    fc.assert(
      fc.property(cut, (at) => answers(sample.slice(0, at))),
      { numRuns: 40 },
    );
    fc.assert(
      fc.property(cut, cut, fc.string({ maxLength: 5 }), (from, to, noise) => {
        answers(sample.slice(0, Math.min(from, to)) + noise + sample.slice(Math.max(from, to)));
      }),
      { numRuns: 40 },
    );
  }
}
