import type { Trace } from '../../engine/trace.ts';
import { timeWords } from '../../path/trace/words.ts';
import { clip, indent, type Page, spaces, wrap } from '../page.ts';
import { probeWords } from './place.ts';
import { linesOf } from './rows.ts';
import { layTable } from './table.ts';

const left = 2;

/**
 * Each trace as a column of hops, both ways side by side. Where one of several stops, the others take a line each,
 * unless `-v`.
 */
export function traceLines(traces: readonly Trace[], page: Page): string[] {
  const stops = traces.some((trace) => trace.stop !== undefined);
  const whole = traces.filter((trace) => page.verbosity > 0 || !stops || trace.stop !== undefined);
  const others = traces.filter((trace) => !whole.includes(trace));
  const blocks = whole.map((trace) => drawTrace(trace, page));
  const named = others.map((trace) => {
    const mark = page.theme.paint('ok', page.theme.marks.ok);
    return `${spaces(left)}${mark}  ${clip(page.say(`${trace.title}: ${trace.reading}`), page.width - left - 4, page)}`;
  });
  return [...blocks, ...(named.length > 0 ? [named] : [])].flatMap((lines, i) => (i === 0 ? lines : ['', ...lines]));
}

/** The hops, what was expected and what was seen at each, a loud line where it stops, and what came of it in words. */
export function drawTrace(trace: Trace, page: Page): string[] {
  const { theme } = page;
  const title = clip(`TRACE  ${page.say(trace.title)}`, page.width, page);
  const probe = clip(page.say(probeWords(trace)), page.width - left, page);
  const bad = trace.stop !== undefined || trace.early !== undefined;
  const reading = wrap(page.say(trace.reading), page.width - left).map((line) =>
    theme.paint(bad ? 'problem' : 'ok', line),
  );
  return [
    theme.paint('strong', title),
    `${spaces(left)}${theme.paint('dim', probe)}`,
    ...layTable(linesOf(trace, page), page),
    ...indent(reading, left),
    ...indent(
      trace.notes.flatMap((note) => bullet(note, page)),
      left,
    ),
    ...(page.verbosity > 0 ? indent(details(trace, page), left) : []),
  ];
}

const bullet = (note: string, page: Page): string[] => {
  const [first = '', ...rest] = wrap(page.say(note), page.width - left - 2);
  return [`${page.theme.glyphs.bullet} ${first}`, ...indent(rest, 2)].map((line) => page.theme.paint('dim', line));
};

/** Reasons of what was expected, and how far clocks differ. */
function details(trace: Trace, page: Page): string[] {
  const reasons = (trace.expected ?? []).map((e) => {
    const way = e.way === 'back' ? ', on the way back' : '';
    return `expected at ${trace.points[e.point]?.device ?? ''}${way}: ${e.verdict}: ${e.because}`;
  });
  const clocks = trace.clocks.map(({ host, aheadUs }) => {
    const ahead = aheadUs < 0 ? 'behind' : 'ahead of';
    return `clock of ${host}: ${timeWords(Math.abs(aheadUs))} ${ahead} the one of ${trace.clock} (taken out)`;
  });
  const apart = trace.points.some(({ there, back }) =>
    [there, back].some((count) => count.seen > 0 && count.firstUs === undefined),
  );
  const times = apart
    ? ['no times between hosts where packets went one way only: their clocks cannot be compared']
    : [];
  return [...reasons, ...clocks, ...times].flatMap((line) => bullet(line, page));
}
