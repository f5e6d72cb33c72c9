import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Trace } from '../../../src/engine/trace.ts';
import { traceSvg } from '../../../src/report/trace/svg.ts';
import { traces } from './samples.ts';

const names = Object.keys(traces) as (keyof typeof traces)[];
const count = (text: string, pattern: RegExp): number => [...text.matchAll(pattern)].length;

/** Elements that are opened and closed in order, attributes quoted: what a strict reader asks for. */
function wellFormed(xml: string): boolean {
  const open: string[] = [];
  const rest = xml.replace(/<(\/?)([a-z]+)((?:\s+[\w:-]+="[^"<]*")*)\s*(\/?)>/g, (_, close, name, _attrs, empty) => {
    if (close === '/') {
      if (open.pop() !== name) open.push('mismatch');
    } else if (empty !== '/') open.push(name);
    return '';
  });
  return open.length === 0 && !/[<>]/.test(rest) && !/&(?!(amp|lt|gt|quot|#39);)/.test(rest);
}

describe('a trace as a picture', () => {
  it.each(['healthy', 'broken', 'brokenBack', 'floating', 'misfit', 'anonymous'] as const)('shows %s', async (name) => {
    await expect(traceSvg(traces[name])).toMatchFileSnapshot(`golden/${name}.svg`);
  });

  it.each(names)('of %s is well-formed, and needs nothing from anywhere', (name) => {
    const svg = traceSvg(traces[name]);
    expect(wellFormed(svg)).toBe(true);
    expect(svg).not.toMatch(/<script|<image|<foreignObject|@import|url\(|href|javascript:|\son\w+=/i);
    expect(svg.replace('http://www.w3.org/2000/svg', '')).not.toMatch(/https?:/);
    expect(svg).toContain('@media (prefers-color-scheme:dark)');
  });

  it('has a lane per host and one for the answerer, a box per hop', () => {
    const svg = traceSvg(traces.healthy);
    expect(count(svg, /<rect class="lane"/g)).toBe(3);
    expect(count(svg, /<rect class="box"/g)).toBe(traces.healthy.points.length + 2);
  });

  it('has an arrow each way over every hop that packets passed, and none where they never came', () => {
    const edges = traces.healthy.points.length + 1;
    expect(count(traceSvg(traces.healthy), /class="go"/g)).toBe(edges * 2);
    expect(count(traceSvg(traces.broken), /class="go"/g)).toBe(8);
    expect(count(traceSvg(traces.silentGuest), /class="go"/g)).toBe(edges);
  });

  it('has no arrow but a dashed line over what could not be looked at', () => {
    const svg = traceSvg(traces.blindThere);
    expect(count(svg, /class="go"/g)).toBe(6);
    expect(count(svg, /class="maybe"/g)).toBe(2);
    expect(count(svg, /<rect class="box unseen"/g)).toBe(2);
  });

  it('has the arrows of who-has where that is as far as it gets', () => {
    const svg = traceSvg(traces.unresolved);
    expect(count(svg, /class="go"/g)).toBe(8);
    expect(svg).toContain('>who-has: no further<');
  });

  it('has one broken arrow where it stops, and none where it does not', () => {
    const brokenArrows = (trace: Trace): number => count(traceSvg(trace), /class="rest"/g);
    expect(names.filter((name) => brokenArrows(traces[name]) === 1)).toEqual(
      names.filter((name) => {
        const trace: Trace = traces[name];
        return trace.stop !== undefined && trace.stop.lost === trace.stop.of;
      }),
    );
    expect(brokenArrows(traces.healthy)).toBe(0);
    expect(traceSvg(traces.broken)).toContain('>all 5 lost<');
    expect(traceSvg(traces.silentGuest)).toContain('>no answer<');
    expect(traceSvg(traces.lossy)).toContain('>2 of 5 lost<');
  });

  it('shows text of the cloud as text, whatever is in it', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.constant('</text><script>alert("x")</script>&\'\uffff'),
          fc.string({ unit: 'binary', maxLength: 30 }),
        ),
        (evil) => {
          const name = JSON.stringify(evil).slice(1, -1);
          const text = JSON.stringify(traces.broken).replaceAll('web-1', name).replaceAll('tap5652dd5f-cd', name);
          const svg = traceSvg(JSON.parse(text));
          expect(wellFormed(svg), svg).toBe(true);
          expect(svg).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069\ufffe\uffff]/);
        },
      ),
    );
  });
});
