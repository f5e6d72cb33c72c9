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

/** The first `kept` columns that only let pass keep a head of their own; of the others neighbours are one. */
export function foldedColumns(all: readonly ColumnGroup[], kept: number): ColumnGroup[] {
  const groups: ColumnGroup[] = [];
  const own = new Set(all.filter((g) => !g.isLoud).slice(0, kept));
  let open = false;
  for (const group of all) {
    const last = groups.at(-1);
    const folds = !group.isLoud && !own.has(group);
    if (last !== undefined && open && folds) {
      const columns = [...last.columns, ...group.columns];
      groups[groups.length - 1] = { title: `${columns.length} others`, columns, isLoud: false };
    } else groups.push(group);
    open = folds;
  }
  return groups;
}

/** What a group comes to in a row: the gravest of its columns. */
export function groupCell({ columns }: ColumnGroup, { cells }: ScreenRow): ScheduleCell {
  const of = columns.flatMap((c) => cells[c] ?? []);
  const grave = (['rejects', 'unknown', 'passes'] as const).flatMap((state) => of.find((c) => c.state === state) ?? []);
  return grave[0] ?? { state: 'beyond', words: '' };
}
