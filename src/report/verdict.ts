import type { Finding } from '../engine/finding.ts';
import type { Exclusion } from '../engine/outcome.ts';
import type { RunReport } from '../engine/report.ts';
import { causeLines, otherCauseLines } from './cause.ts';
import { closingLines } from './closing.ts';
import { couldNotLookLines } from './could-not-look.ts';
import { evidenceLines } from './evidence.ts';
import { body, labelled, moreWithV } from './label.ts';
import { columns, indent, type Page, spaces, withRemark, wrap } from './page.ts';

/** What it comes to, last on the screen: causes with evidence and mend, what else was seen, the closing line. */
export function verdictBlocks(report: RunReport, page: Page): string[][] {
  const { causes, remarks, exclusions, couldNotLook } = report.diagnosis;
  const [first, ...others] = causes;
  const about = [
    ...(exclusions.length === 0 || (first === undefined && page.verbosity === 0)
      ? []
      : ruledOutLines(exclusions, page)),
    ...(remarks.length === 0 ? [] : remarkLines(remarks, page)),
    ...(couldNotLook.length === 0
      ? []
      : couldNotLookLines(couldNotLook, page, first === undefined || page.verbosity > 0)),
  ];
  const firstBlock = first === undefined ? [] : causeLines(first, page);
  return [
    ...(others.length === 0 ? [[...firstBlock, ...about]] : [firstBlock, otherCauseLines(others, page), about]),
    closingLines(report, page),
  ];
}

/** Without `-v` the names alone, on at most three lines; with it, what excludes each. */
function ruledOutLines(exclusions: readonly Exclusion[], page: Page): string[] {
  if (page.verbosity > 0) {
    const room = page.width - body;
    return [
      page.theme.paint('strong', 'RULED OUT'),
      ...exclusions.flatMap(({ what, evidence }) => [
        ...indent(wrap(page.say(what), page.width - 2), 2),
        ...indent(evidenceLines(evidence, page, { pieces: evidence.length, linesEach: 2 }, room), body),
      ]),
    ];
  }
  const separator = ` ${page.theme.glyphs.dot} `;
  const room = page.width * 3 - 40;
  const said: string[] = [];
  for (const { what } of exclusions) {
    const words = page.say(what);
    if (columns([...said, words].join(separator)) > room) break;
    said.push(words);
  }
  const rest = exclusions.length - said.length;
  if (rest > 0) said.push(`${rest} more with -v`);
  return labelled('RULED OUT', 'strong', said.join(separator), page);
}

/** Warnings and notes that nothing hangs on. */
function remarkLines(remarks: readonly Finding[], page: Page): string[] {
  const { theme } = page;
  const shown = page.verbosity > 0 ? remarks : remarks.slice(0, 5);
  return [
    theme.paint('strong', 'ALSO SEEN'),
    ...shown.flatMap((finding) => {
      const mark =
        finding.severity === 'info' ? theme.paint('dim', theme.glyphs.bullet) : theme.paint('warn', theme.marks.warn);
      const [first = '', ...others] = wrap(page.say(finding.summary), page.width - body);
      const lines = [`${spaces(2)}${mark}${spaces(body - 2 - columns(mark))}${first}`, ...indent(others, body)];
      return withRemark(lines, theme.paint('code', page.say(finding.code)), page.width);
    }),
    ...moreWithV(remarks.length - shown.length, page),
  ];
}
