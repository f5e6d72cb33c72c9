import { describe, expect, it } from 'vitest';
import type { Schedule } from '../../../src/engine/schedule.ts';
import { scheduleLines } from '../../../src/report/schedule/draw.ts';
import { type Look, neverWider, page, withoutColor } from '../screen.ts';
import { noRam, row, schedules, wide } from './samples.ts';

const draw = (schedule: Schedule, look: Look = {}): string => `${scheduleLines(schedule, page(look)).join('\n')}\n`;
const golden = (text: string, name: string) => expect(text).toMatchFileSnapshot(`golden/${name}.txt`);
const names = Object.keys(schedules) as (keyof typeof schedules)[];

describe('a schedule on a screen', () => {
  it.each(names.flatMap((name) => [60, 80, 120].map((width) => [name, width] as const)))(
    'shows %s at %d columns',
    async (name, width) => {
      await golden(draw(schedules[name], { width }), `${name}-${width}`);
    },
  );

  it.each(names)('shows %s in ASCII, in colour with the same words, and more with -v', async (name) => {
    const ascii = draw(schedules[name], { unicode: false });
    expect(ascii).toMatch(/^[\n -~]*$/);
    await golden(ascii, `${name}-ascii`);
    const colored = draw(schedules[name], { color: 1 });
    expect(colored).not.toBe(draw(schedules[name]));
    expect(withoutColor(colored)).toBe(draw(schedules[name]));
    await golden(draw(schedules[name], { verbosity: 1, width: 100 }), `${name}-v`);
  });

  it('is never wider than the screen, however narrow', () => {
    neverWider<Schedule>(Object.values(schedules), 24, (schedule, on, name) => {
      const rows = schedule.rows.slice(0, 30).map((r) => ({ ...r, hosts: r.hosts.map((h) => `${name}${h}`) }));
      return scheduleLines({ ...schedule, rows }, on);
    });
  });

  it('puts the reason into the cell of the step that drops a host, and says nothing of the steps behind it', () => {
    const line = draw(noRam, { width: 120 })
      .split('\n')
      .find((l) => l.includes('cmp2'));
    expect(line).toMatch(/^ {2}cmp2 +✗ 40000 > 10010 MB +(· *)+$/);
  });

  it('keeps the step that drops hosts on a screen that has no room for more', () => {
    expect(draw(noRam, { width: 40 })).toMatch(/cmp2 +✗ 40000 > 10010 MB/);
  });

  it('counts hosts that lack the same thing together, where they are more than a screen has rows', () => {
    const text = draw(wide);
    expect(text).toContain('612 hosts');
    expect(text).toContain('✗ 40000 MB of memory');
    expect(text.split('\n').length).toBeLessThan(10);
  });

  it('shows at most twenty rows, and how many more there are', () => {
    const many: Schedule = {
      ...wide,
      rows: Array.from({ length: 50 }, (_, i) =>
        row([`cmp${i}`], [{ state: 'rejects', of: 'trait', because: `no T${i}`, wanted: `T${i}`, has: 'none' }]),
      ),
      columns: wide.columns.slice(0, 1),
    };
    const text = draw(many);
    expect(text.match(/✗ T\d+/g)).toHaveLength(20);
    expect(text).toContain('and 30 more rows (--output json)');
  });

  it('lets no text of the cloud reach the terminal', () => {
    const evil = '\u001b[2Jcmp1\r\nCAUSE none';
    const text = draw({ ...noRam, rows: noRam.rows.map((r) => ({ ...r, hosts: [evil] })), notes: [evil] });
    expect(text).not.toContain('\u001b');
    expect(text).not.toContain('\r');
    expect(text).not.toMatch(/^CAUSE/m);
  });

  it('says that no host is known where there is none', () => {
    expect(draw({ ...noRam, rows: [], hosts: 0 })).toContain('no host is known');
  });
});
