import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Trace } from '../../../src/engine/trace.ts';
import { drawTrace, traceLines } from '../../../src/report/trace/draw.ts';
import { type Look, neverWider, page, withoutColor } from '../screen.ts';
import { traces } from './samples.ts';

const draw = (trace: Trace, look: Look = {}): string => `${drawTrace(trace, page(look)).join('\n')}\n`;
const golden = (text: string, name: string) => expect(text).toMatchFileSnapshot(`golden/${name}.txt`);
const names = Object.keys(traces) as (keyof typeof traces)[];

describe('a trace on a screen', () => {
  it.each(names)('shows %s at 80 columns', async (name) => {
    await golden(draw(traces[name]), `${name}-80`);
  });

  it.each(['healthy', 'broken', 'floating'] as const)('shows %s at 60 columns, in ASCII, and with -v', async (name) => {
    await golden(draw(traces[name], { width: 60 }), `${name}-60`);
    const ascii = draw(traces[name], { unicode: false });
    expect(ascii).toMatch(/^[\n -~]*$/);
    await golden(ascii, `${name}-ascii`);
    await golden(draw(traces[name], { verbosity: 1, width: 100 }), `${name}-v`);
  });

  it.each(names)('shows %s in colour with the same words', (name) => {
    const colored = draw(traces[name], { color: 1 });
    expect(colored).not.toBe(draw(traces[name]));
    expect(withoutColor(colored)).toBe(draw(traces[name]));
  });

  it('is never wider than the screen', () => {
    neverWider<Trace>(Object.values(traces), 60, (trace, on, name) => {
      const points = trace.points.map((p) => ({ ...p, device: `${name}${p.device}` }));
      return drawTrace({ ...trace, points }, on);
    });
  });

  it('lets no text of the cloud reach the terminal', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 30 }), (evil) => {
        const text = JSON.stringify(traces.misfit).replaceAll('web-1', JSON.stringify(evil).slice(1, -1));
        expect(draw(JSON.parse(text))).not.toMatch(
          /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u200b-\u200f\u202a-\u202e\u2066-\u2069]/,
        );
      }),
    );
  });
});

describe('the place where it stops', () => {
  const at = (trace: Trace): number =>
    draw(trace)
      .split('\n')
      .findIndex((line) => line.includes(' HERE '));
  const rowOf = (trace: Trace, pattern: RegExp): number =>
    draw(trace)
      .split('\n')
      .findLastIndex((line) => pattern.test(line));

  it('is a line between the two points', () => {
    expect(at(traces.broken)).toBe(rowOf(traces.broken, /tap5652dd5f-cd {2,}/) - 1);
    expect(at(traces.brokenBack)).toBe(rowOf(traces.brokenBack, /tap5652dd5f-cd {2,}/) - 1);
    expect(at(traces.silentGuest)).toBe(rowOf(traces.silentGuest, /^ {2}web-1$/) - 1);
  });

  it('is in no trace that goes through', () => {
    expect(at(traces.healthy)).toBe(-1);
  });
});

describe('several traces', () => {
  it('are drawn where they stop; the others take a line each', () => {
    const lines = traceLines([traces.healthy, traces.broken], page());
    expect(lines.filter((line) => line.startsWith('TRACE'))).toHaveLength(1);
    expect(lines.at(-1)).toBe('  ✓  dhcp on net1 → web-1: All 5 packets went there and back in 0.27 ms.');
  });

  it('are all drawn when none stops, or with -v', () => {
    const titles = (lines: readonly string[]): number => lines.filter((line) => line.startsWith('TRACE')).length;
    expect(titles(traceLines([traces.healthy, traces.floating], page()))).toBe(2);
    expect(titles(traceLines([traces.healthy, traces.broken], page({ verbosity: 1 })))).toBe(2);
  });
});

describe('changes', () => {
  it('are shown where the packet was translated, without the MAC addresses that routing explains', () => {
    const text = draw(traces.floating);
    expect(text).toContain('↓ destination 198.19.0.182 → 10.0.0.148, TTL 64 → 63');
    expect(text).not.toContain('MAC');
    expect(draw(traces.floating, { verbosity: 1 })).toContain('source MAC fa:16:3e:00:00:01 → fa:16:3e:00:00:03');
  });

  it('are not shown for a tunnel that the point wears anyway', () => {
    expect(draw(traces.healthy)).not.toContain('VNI');
    expect(draw(traces.misfit)).toContain('↓ vni 1022, should be 1021');
  });
});
