import type { Schedule } from '../../engine/schedule.ts';
import type { ScheduleCell, ScreenRow } from './screen.ts';

/** One or more neighbouring columns of the schedule under one head. */
export interface ColumnGroup {
  readonly title: string;
  readonly columns: readonly number[];
  /** Something of it is more than a pass. */
  readonly isLoud: boolean;
}

const isLoud = (rows: readonly ScreenRow[], column: number): boolean =>
  rows.some(({ cells }) => cells[column]?.state === 'rejects' || cells[column]?.state === 'unknown');

/** Every column by itself. */
export const allColumns = (schedule: Schedule, rows: readonly ScreenRow[]): ColumnGroup[] =>
  schedule.columns.map(({ title }, i) => ({ title, columns: [i], isLoud: isLoud(rows, i) }));

/** Neighbours that only let pass are one. */
export function foldedColumns(all: readonly ColumnGroup[]): ColumnGroup[] {
  const groups: ColumnGroup[] = [];
  for (const group of all) {
    const last = groups.at(-1);
    if (last === undefined || last.isLoud || group.isLoud) groups.push(group);
    else {
      const columns = [...last.columns, ...group.columns];
      groups[groups.length - 1] = { title: `${columns.length} others`, columns, isLoud: false };
    }
  }
  return groups;
}

/** How many hosts a group is the first to reject. */
const rejected = (group: ColumnGroup, rows: readonly ScreenRow[]): number =>
  rows
    .filter(({ cells }) => group.columns.some((c) => cells[c]?.state === 'rejects'))
    .reduce((sum, { hosts }) => sum + hosts.length, 0);

/** Without the group that says least: quiet ones first, then the one that rejects the fewest. Undefined where one is left. */
export function withoutLeast(
  groups: readonly ColumnGroup[],
  rows: readonly ScreenRow[],
  narrowest: number | undefined,
): ColumnGroup[] | undefined {
  if (groups.length <= 1) return undefined;
  const weight = (g: ColumnGroup): number =>
    (g.isLoud ? 1 : 0) +
    rejected(g, rows) +
    (narrowest !== undefined && g.columns.includes(narrowest) ? Number.POSITIVE_INFINITY : 0);
  const least = Math.min(...groups.map(weight));
  const at = groups.findLastIndex((g) => weight(g) === least);
  return groups.filter((_, i) => i !== at);
}

/** What a group comes to in a row: the gravest of its columns. */
export function groupCell({ columns }: ColumnGroup, { cells }: ScreenRow): ScheduleCell {
  const of = columns.flatMap((c) => cells[c] ?? []);
  const grave = (['rejects', 'unknown', 'passes'] as const).flatMap((state) => of.find((c) => c.state === state) ?? []);
  return grave[0] ?? { state: 'beyond', words: '' };
}
