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
  const join = (words: readonly string[]): string => words.join(` ${theme.glyphs.dot} `);
  const { causes, remarks } = report.diagnosis;
  if (causes.length > 0) {
    const named = theme.paint('problem', plural(causes.length, 'cause'));
    const tallies = page.verbosity > 0 ? [join([named, total, ...parts, ...end])] : [join([named, total, ...end]), join([named, ...end])];
    return beside(next, tallies, page);
  }
  const clear = report.exitCode === 0 && report.counts.blocked + report.counts.unknown === 0;
  const sentence = wrap(page.say(clearWords(report)), page.width).map((line) => theme.paint(clear ? 'ok' : 'warn', line));
  const closing = beside(sentence, [join([total, ...parts, ...end]), join([...parts, ...end])], page);
  const isAllSaid = clear && remarks.length === 0 && page.verbosity === 0;
  return isAllSaid ? closing : [...closing, ...next];
}

/** The fullest tally that fits beside the text; else the fullest on a line of its own, before the text when that is a command. */
function beside(text: readonly string[], tallies: readonly string[], page: Page): string[] {
  const last = text.at(-1) ?? '';
  const fitting = tallies.find((tally) => columns(last) + 2 + columns(tally) <= page.width);
  if (fitting !== undefined && text.length > 0) return withRemark(text, fitting, page.width);
  const [fullest = ''] = tallies.filter((tally) => columns(tally) <= page.width);
  return [...text, ...withRemark([], fullest === '' ? (tallies.at(-1) ?? '') : fullest, page.width).filter((l) => l !== '')];
}
