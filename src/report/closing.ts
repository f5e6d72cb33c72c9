import type { RunReport } from '../engine/report.ts';
import { commandText } from './label.ts';
import { columns, type Page, withRemark, wrap } from './page.ts';
import { clearWords, countWords, duration, plural } from './words.ts';

/** The last line or two: how it ended, counts, exit code, time, and the next useful command. */
export function closingLines(report: RunReport, page: Page): string[] {
  const { theme } = page;
  const next = report.next === '' ? [] : [`Next: ${commandText(report.next, page)}`];
  const [total = '', ...parts] = countWords(report.counts);
  const end = [...(report.exitCode === 0 ? [] : [`exit ${report.exitCode}`]), duration(report.elapsedMs)];
  const { causes, remarks } = report.diagnosis;
  if (causes.length > 0) {
    const named = theme.paint('problem', plural(causes.length, 'cause'));
    if (page.verbosity > 0) return [...packed([named, total, ...parts, ...end], page), ...next];
    return (
      beside(
        next,
        [
          [named, total, ...end],
          [named, ...end],
        ],
        page,
      ) ?? [...packed([named, total, ...end], page), ...next]
    );
  }
  const clear = report.exitCode === 0 && report.counts.blocked + report.counts.unknown === 0;
  const role = clear ? 'ok' : 'warn';
  const sentence = wrap(page.say(clearWords(report)), page.width).map((line) => theme.paint(role, line));
  const tallies = [
    [total, ...parts, ...end],
    [...parts, ...end],
  ];
  const closing = beside(sentence, tallies, page) ?? [...sentence, ...packed([total, ...parts, ...end], page)];
  const isAllSaid = clear && remarks.length === 0 && page.verbosity === 0;
  return isAllSaid ? closing : [...closing, ...next];
}

const joined = (parts: readonly string[], page: Page): string => parts.join(` ${page.theme.glyphs.dot} `);

/** The first of these that fits at the right of the text's last line. */
function beside(text: readonly string[], tallies: readonly (readonly string[])[], page: Page): string[] | undefined {
  const room = page.width - columns(text.at(-1) ?? '') - 2;
  const fitting = tallies.map((parts) => joined(parts, page)).find((tally) => columns(tally) <= room);
  return fitting === undefined || text.length === 0 ? undefined : withRemark(text, fitting, page.width);
}

/** On lines of their own, broken between parts only. */
function packed(parts: readonly string[], page: Page): string[] {
  const lines: string[][] = [];
  for (const part of parts) {
    const last = lines.at(-1);
    if (last !== undefined && columns(joined([...last, part], page)) <= page.width) last.push(part);
    else lines.push([part]);
  }
  return lines.map((line) => joined(line, page));
}
