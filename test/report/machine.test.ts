import { readFileSync } from 'node:fs';
import { describe, expect, expectTypeOf, it } from 'vitest';
import { fromJSONSchema, type output } from 'zod';
import type { RunEvent } from '../../src/engine/events.ts';
import type { RunReport } from '../../src/engine/report.ts';
import { canonicalJson } from '../../src/report/canonical.ts';
import { finalReporter } from '../../src/report/final.ts';
import { renderJson } from '../../src/report/json.ts';
import { renderJsonSchema } from '../../src/report/json-schema.ts';
import { renderJunit } from '../../src/report/junit.ts';
import { renderMarkdown } from '../../src/report/markdown.ts';
import { nagiosState, renderNagios } from '../../src/report/nagios.ts';
import { ndjsonReporter } from '../../src/report/ndjson.ts';
import { reportSchema } from '../../src/report/schema.ts';
import { blockedHost, handMadeRule, healthy, hostile, samples, twoCauses } from './samples.ts';

const all = Object.entries(samples);
const activeCharacters = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u200b-\u200f\u202a-\u202e\u2066-\u2069]/;
const schemaFile = new URL('../../docs/report.schema.json', import.meta.url);

/** The same type without readonly, without optional marks and without the open end of a loose object. */
type Plain<T> = T extends readonly (infer I)[]
  ? Plain<I>[]
  : T extends object
    ? { -readonly [K in keyof T as string extends K ? never : K]-?: Plain<Exclude<T[K], undefined>> }
    : T;

describe('the JSON document', () => {
  it.each(all)('of %s is what the published schema says', (_name, report) => {
    const published = fromJSONSchema(JSON.parse(readFileSync(schemaFile, 'utf8')));
    const document: unknown = JSON.parse(renderJson(report));
    expect(published.safeParse(document).error).toBeUndefined();
    expect(reportSchema.parse(document)).toEqual(document);
  });

  it('is refused by the schema when something is missing or of another kind', () => {
    const published = fromJSONSchema(JSON.parse(readFileSync(schemaFile, 'utf8')));
    const { next: _next, ...without } = healthy;
    expect(published.safeParse(without).success).toBe(false);
    expect(published.safeParse({ ...healthy, exitCode: 7 }).success).toBe(false);
    expect(published.safeParse({ ...healthy, somethingNew: true }).success).toBe(true);
  });

  it('has a schema that knows every field of the type, and no other', () => {
    expectTypeOf<Plain<output<typeof reportSchema>>>().toEqualTypeOf<Plain<RunReport>>();
    // What was asked about beside the instance, traces and a schedule are there only when there is one.
    expect(Object.keys(reportSchema.shape).sort()).toEqual(
      [...Object.keys(handMadeRule), 'asked', 'schedule', 'traces'].sort(),
    );
  });

  it('has a published schema that is fresh', () => {
    expect(readFileSync(schemaFile, 'utf8')).toBe(renderJsonSchema());
  });

  it('does not depend on the order in which fields were set', () => {
    const shuffled = (value: unknown): unknown => {
      if (Array.isArray(value)) return value.map(shuffled);
      if (typeof value !== 'object' || value === null) return value;
      return Object.fromEntries(
        Object.entries(value)
          .reverse()
          .map(([k, v]) => [k, shuffled(v)]),
      );
    };
    expect(canonicalJson(shuffled(twoCauses), 2)).toBe(canonicalJson(twoCauses, 2));
  });

  it('starts with what it is', () => {
    expect(Object.keys(JSON.parse(renderJson(healthy))).slice(0, 5)).toEqual([
      'schemaVersion',
      'tool',
      'command',
      'cloud',
      'target',
    ]);
  });

  it('keeps hostile text as data and is harmless on a terminal', () => {
    const text = renderJson(hostile);
    expect(text).not.toMatch(activeCharacters);
    expect(JSON.parse(text)).toEqual(hostile);
  });
});

describe('NDJSON', () => {
  it('is one event per line, the report last, and nothing about waiting', () => {
    const lines: string[] = [];
    const reporter = ndjsonReporter((text) => lines.push(text));
    const [step] = healthy.steps;
    const [check] = step?.checks ?? [];
    if (step === undefined || check === undefined) throw new Error('the sample has no check');
    const events: RunEvent[] = [
      { type: 'run.start', command: 'net web-1', startedAt: healthy.startedAt },
      { type: 'waiting', on: ['cmp1'], seconds: 3 },
      { type: 'check.end', step: step.id, check },
      { type: 'run.end', report: healthy },
    ];
    for (const event of events) reporter.on(event);
    expect(lines.every((line) => line.indexOf('\n') === line.length - 1)).toBe(true);
    expect(lines.map((line) => JSON.parse(line).type)).toEqual(['run.start', 'check.end', 'run.end']);
    expect(JSON.parse(lines.at(-1) ?? '').report).toEqual(healthy);
  });
});

describe('a reporter of whole reports', () => {
  it('writes once, at the end', () => {
    const written: string[] = [];
    const reporter = finalReporter(renderJson, (text) => written.push(text));
    reporter.on({ type: 'run.start', command: 'net web-1', startedAt: healthy.startedAt });
    expect(written).toEqual([]);
    reporter.on({ type: 'run.end', report: healthy });
    expect(written).toEqual([renderJson(healthy)]);
  });
});

describe('the line for monitoring', () => {
  it('is critical when there is a cause', () => {
    expect(renderNagios(handMadeRule)).toBe(
      'OSTK CRITICAL - 1 cause: OSD-HOST-014 A hand-made rule on cmp1 drops ICMP towards web-1 (certain) | checks=17 ok=13 problem=2 blocked=0 ms=4000\n',
    );
  });

  it('is fine only when everything was looked at', () => {
    expect(nagiosState(healthy)).toBe('OK');
    expect(nagiosState(blockedHost)).toBe('UNKNOWN');
    expect(nagiosState({ ...healthy, diagnosis: { ...healthy.diagnosis, remarks: twoCauses.diagnosis.remarks } })).toBe(
      'WARNING',
    );
  });

  it.each(all)('for %s is one line with one bar', (_name, report) => {
    const line = renderNagios(report);
    expect(line.trimEnd()).not.toMatch(activeCharacters);
    expect(line.split('\n')).toHaveLength(2);
    expect(line.split('|')).toHaveLength(2);
  });
});

describe('JUnit', () => {
  it.each(all)('of %s is well-formed and counts what is in it', (_name, report) => {
    const xml = renderJunit(report);
    expect(xml).not.toMatch(activeCharacters);
    expect(xml.match(/<testcase /g)).toHaveLength(report.steps.flatMap((s) => s.checks).length);
    expect(openElements(xml)).toEqual([]);
  });

  it('tells a failure from not having been able to look', () => {
    expect(renderJunit(handMadeRule)).toContain(
      '<failure type="OSD-HOST-014" message="A hand-made rule on cmp1 drops ICMP towards web-1 (certain)">',
    );
    expect(renderJunit(blockedHost)).toContain('<error type="sudo" message="net1: sudo: a password is required">');
    expect(renderJunit(healthy)).toContain('<skipped message="no IPv6 subnet"/>');
  });

  it('escapes what would be markup', () => {
    const xml = renderJunit({ ...healthy, command: 'net "<&>"' });
    expect(xml).toContain('name="ostk-doctor net &quot;&lt;&amp;&gt;&quot;"');
  });
});

/** Names of elements that are opened and not closed in the right order. */
function openElements(xml: string): string[] {
  const open: string[] = [];
  for (const [, close, name = '', self] of xml.matchAll(/<(\/?)([a-z]+)(?:\s[a-z]+="[^"<]*")*(\/?)>/g)) {
    if (close === '/') {
      if (open.pop() !== name) return [name];
    } else if (self === '') open.push(name);
  }
  return open;
}

describe('Markdown', () => {
  it('puts the verdict first', async () => {
    await expect(renderMarkdown(handMadeRule)).toMatchFileSnapshot('golden/handMadeRule.md');
  });

  it.each(all)('of %s holds nothing that acts', (_name, report) => {
    expect(renderMarkdown(report)).not.toMatch(activeCharacters);
  });

  it('makes no markup, link, mention or cell of a name', () => {
    const name = '<img src=x> [a](http://evil) @everyone |`x` **b** &lt;';
    const text = renderMarkdown({ ...healthy, command: name });
    expect(text.split('\n')[0]).toBe(
      '# ostk-doctor \\<img src=x\\> \\[a\\](http://evil) &#64;everyone \\|\\`x\\` \\*\\*b\\*\\* &amp;lt;',
    );
  });
});
