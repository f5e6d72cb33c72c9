import type { Schedule } from '../../engine/schedule.ts';
import { filtersWords, requestWords } from '../../schedule/in-words.ts';
import type { Role } from '../../ui/theme.ts';
import { clip, columns, indent, type Page, padEnd, spaces, wrap } from '../page.ts';
import { plural } from '../words.ts';
import { allColumns, type ColumnGroup, foldedColumns, groupCell } from './groups.ts';
import { fittingRows, type ScheduleCell, type ScreenRow } from './screen.ts';

const left = 2;
const gap = 2;
const widestName = 36;
/** Columns that let all hosts pass and still have a head of their own, without `-v`. */
const quietShown = 7;
const mostNotes = 4;
const rowsShown = { 0: 20, 1: 60, 2: 200 } as const;

const roles: Readonly<Record<ScheduleCell['state'], Role>> = {
  passes: 'ok',
  rejects: 'problem',
  unknown: 'blocked',
  beyond: 'dim',
};

/** What was asked for, every host against every step of the scheduling, and what could not be told. */
export function scheduleLines(schedule: Schedule | undefined, page: Page): string[] {
  if (schedule === undefined) return [];
  const { theme, verbosity } = page;
  const { rows, more } = fittingRows(schedule, rowsShown[verbosity]);
  const rest =
    more > 0
      ? [theme.paint('dim', `${spaces(left)}and ${plural(more, 'more row')} (--output json)`)]
      : rows.length === 0
        ? [theme.paint('warn', `${spaces(left)}no host is known`)]
        : [];
  const dim = (line: string): string => theme.paint('dim', line);
  const filters =
    verbosity > 0 || schedule.filters.from === 'defaults' ? bullet(filtersWords(schedule), page).map(dim) : [];
  const notes = schedule.notes.slice(0, verbosity > 0 ? schedule.notes.length : mostNotes);
  return [
    ...wrap(page.say(`asks for ${requestWords(schedule)}`), page.width),
    '',
    ...matrixLines(schedule, rows, page),
    ...rest,
    ...unknownLines(schedule, rows, page).map(dim),
    ...notes.flatMap((note) => bullet(note, page)).map(dim),
    ...filters,
    ...(verbosity > 0 ? schedule.said.flatMap(({ host, line }) => bullet(`${host}: ${line}`, page)).map(dim) : []),
  ];
}

const bullet = (text: string, page: Page): string[] => {
  const [first = '', ...others] = wrap(page.say(text), page.width - left - 2);
  return indent([`${page.theme.glyphs.bullet} ${first}`, ...indent(others, 2)], left);
};

/** `cmp1, cmp2`, or how many where they are more than fit. */
function nameOf({ hosts }: ScreenRow, page: Page): string {
  const all = hosts.map(page.say).join(', ');
  if (columns(all) <= widestName) return all;
  const [first = ''] = hosts;
  return hosts.length === 1
    ? clip(all, widestName, page)
    : clip(`${hosts.length} hosts: ${page.say(first)}, ${page.theme.glyphs.ellipsis}`, widestName, page);
}

function cellText({ state, words }: ScheduleCell, page: Page, widest: number): string {
  const { theme } = page;
  const mark = {
    passes: theme.marks.ok,
    rejects: theme.marks.problem,
    unknown: theme.marks.blocked,
    beyond: theme.glyphs.unseen,
  }[state];
  return words === '' ? mark : clip(`${mark} ${page.say(words)}`, widest, page);
}

/**
 * The widest table that the page has room for: with all columns, then with those folded that only let pass, then without
 * them, then with shorter reasons. Where even that is too wide, each row says which step drops it.
 */
function matrixLines(schedule: Schedule, rows: readonly ScreenRow[], page: Page): string[] {
  if (rows.length === 0) return [];
  const all = allColumns(schedule, rows);
  const quiet = all.filter((g) => !g.isLoud).length;
  const own = page.verbosity > 0 ? quiet : Math.min(quiet, quietShown);
  const folded = Array.from({ length: own + 1 }, (_, i) => foldedColumns(all, own - i));
  const loud = all.filter((g) => g.isLoud);
  const layouts = loud.length === 0 ? folded : [...folded, loud];
  for (const widest of [48, 28]) {
    for (const groups of layouts) {
      const lines = layTable(groups, rows, widest, page);
      if (lines !== undefined) return lines;
    }
  }
  return byStep(schedule, rows, page);
}

function layTable(
  groups: readonly ColumnGroup[],
  rows: readonly ScreenRow[],
  widest: number,
  page: Page,
): string[] | undefined {
  const { theme } = page;
  const names = rows.map((row) => nameOf(row, page));
  const heads = groups.map((g) => page.say(g.title));
  const cells = rows.map((row) => groups.map((g) => groupCell(g, row)));
  const texts = cells.map((line) => line.map((cell) => cellText(cell, page, widest)));
  const nameWidth = Math.max(0, ...names.map(columns));
  const widths = groups.map((_, i) =>
    Math.max(columns(heads[i] ?? ''), ...texts.map((line) => columns(line[i] ?? ''))),
  );
  if (left + nameWidth + widths.reduce((sum, w) => sum + gap + w, 0) > page.width) return undefined;
  const last = groups.length - 1;
  const laid = (words: readonly string[], paint: (text: string, i: number) => string): string =>
    words
      .map((text, i) => `${spaces(gap)}${paint(text, i)}${i === last ? '' : spaces((widths[i] ?? 0) - columns(text))}`)
      .join('');
  return [
    `${spaces(left + nameWidth)}${laid(heads, (text) => theme.paint('dim', text))}`,
    ...texts.map((line, r) => {
      const name = theme.paint('host', names[r] ?? '') + spaces(nameWidth - columns(names[r] ?? ''));
      return `${spaces(left)}${name}${laid(line, (text, i) => theme.paint(roles[cells[r]?.[i]?.state ?? 'beyond'], text))}`;
    }),
  ];
}

/** The hosts, and the step that drops them. */
function byStep(schedule: Schedule, rows: readonly ScreenRow[], page: Page): string[] {
  const { theme } = page;
  const names = rows.map((row) => nameOf(row, page));
  const room = Math.floor(page.width / 2);
  const nameWidth = Math.min(room, Math.max(...names.map(columns)));
  const column = left + nameWidth + gap;
  return rows.flatMap((row, r) => {
    const at = row.cells.findIndex((c) => c.state === 'rejects');
    const state = row.fits === 'yes' ? 'passes' : row.fits === 'unknown' ? 'unknown' : 'rejects';
    const words = at < 0 ? state : `${schedule.columns[at]?.title ?? ''}: ${row.cells[at]?.words ?? ''}`;
    const mark = { passes: theme.marks.ok, rejects: theme.marks.problem, unknown: theme.marks.blocked }[state];
    const lines = wrap(`${mark} ${page.say(words)}`, page.width - column).map((line) =>
      theme.paint(roles[state], line),
    );
    const name = clip(names[r] ?? '', nameWidth, page);
    const [first = '', ...others] = lines;
    return [
      `${spaces(left)}${theme.paint('host', name)}${spaces(nameWidth - columns(name) + gap)}${first}`,
      ...indent(others, column),
    ];
  });
}

/** Why a step could not be told, and what would tell; each reason once. */
function unknownLines(schedule: Schedule, rows: readonly ScreenRow[], page: Page): string[] {
  const shown = new Set(rows.flatMap(({ cells }) => cells.flatMap((c, i) => (c.state === 'unknown' ? [i] : []))));
  const said = new Map<string, string>();
  for (const { verdicts, stoppedAt } of schedule.rows) {
    verdicts.forEach((v, i) => {
      if (v.state !== 'unknown' || !shown.has(i) || (stoppedAt !== undefined && i > stoppedAt)) return;
      const words = `${schedule.columns[i]?.title ?? ''}: ${v.because}; would tell: ${v.tells}`;
      said.set(`${i} ${v.because}`, words);
    });
  }
  const all = [...said.values()];
  const limit = page.verbosity > 0 ? all.length : mostNotes;
  return all.slice(0, limit).flatMap((words) => {
    const [first = '', ...others] = wrap(page.say(words), page.width - left - 3);
    return indent([`${padEnd(page.theme.marks.blocked, 2)} ${first}`, ...indent(others, 3)], left);
  });
}
