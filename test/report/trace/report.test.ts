import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { fromJSONSchema } from 'zod';
import type { RunReport } from '../../../src/engine/report.ts';
import { renderHuman } from '../../../src/report/human.ts';
import { renderJson } from '../../../src/report/json.ts';
import { renderMarkdown } from '../../../src/report/markdown.ts';
import { reportSchema } from '../../../src/report/schema.ts';
import { healthy } from '../samples.ts';
import { screen } from '../screen.ts';
import { traces } from './samples.ts';

const traced: RunReport = { ...healthy, command: 'trace dhcp web-1', traces: [traces.broken] };
const schemaFile = new URL('../../../docs/report.schema.json', import.meta.url);

describe('a report with traces', () => {
  it.each(Object.entries(traces))('is, with %s, what the published schema says', (_name, trace) => {
    const document: unknown = JSON.parse(renderJson({ ...traced, traces: [trace] }));
    const published = fromJSONSchema(JSON.parse(readFileSync(schemaFile, 'utf8')));
    expect(published.safeParse(document).error).toBeUndefined();
    expect(reportSchema.parse(document)).toEqual(document);
  });

  it('shows them before the verdict', () => {
    const text = renderHuman(traced, screen());
    const at = (words: string): number => text.indexOf(words);
    expect(at('STOPS HERE')).toBeGreaterThan(at('✓  mtu'));
    expect(at('STOPS HERE')).toBeLessThan(at('No fault found'));
  });

  it('has them as tables in Markdown, in which names stay text', async () => {
    await expect(
      renderMarkdown({ ...traced, steps: [], traces: [traces.broken, traces.floating] }),
    ).toMatchFileSnapshot('golden/traces.md');
    const evil = JSON.parse(JSON.stringify(traced).replaceAll('tap5652dd5f-cd', '|x](http://evil) @all <b>'));
    expect(renderMarkdown(evil)).toContain('\\|x\\](http://evil) &#64;all \\<b\\>');
  });

  it('says nothing of them when there are none', () => {
    expect(renderJson(healthy)).not.toContain('traces');
  });
});
