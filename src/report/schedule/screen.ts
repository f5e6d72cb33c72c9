import type { HostVerdict, Schedule, ScheduleRow } from '../../engine/schedule.ts';

/** What is shown of one step for one row of hosts. `beyond`: Nova never got there, an earlier step dropped them. */
export interface ScheduleCell {
  readonly state: 'passes' | 'rejects' | 'unknown' | 'beyond';
  readonly words: string;
}

/** Hosts that look the same on the screen. */
export interface ScreenRow {
  readonly hosts: readonly string[];
  readonly fits: ScheduleRow['fits'];
  /** One for each column of the schedule. */
  readonly cells: readonly ScheduleCell[];
}

const cellOf = (verdict: HostVerdict, isBeyond: boolean, isCoarse: boolean): ScheduleCell => {
  if (isBeyond) return { state: 'beyond', words: '' };
  switch (verdict.state) {
    case 'passes':
      return { state: 'passes', words: '' };
    case 'unknown':
      return { state: 'unknown', words: '' };
    case 'rejects':
      return { state: 'rejects', words: isCoarse ? verdict.wanted : verdict.because };
  }
};

/** Rows of hosts whose shown cells are the same; where they first stood is where they stand. */
export function screenRows(schedule: Schedule, isCoarse = false): ScreenRow[] {
  const rows = new Map<string, { hosts: string[]; fits: ScheduleRow['fits']; cells: readonly ScheduleCell[] }>();
  for (const { hosts, verdicts, stoppedAt, fits } of schedule.rows) {
    const cells = verdicts.map((v, i) => cellOf(v, stoppedAt !== undefined && i > stoppedAt, isCoarse));
    const key = JSON.stringify([fits, cells]);
    const known = rows.get(key);
    if (known === undefined) rows.set(key, { hosts: [...hosts], fits, cells });
    else for (const host of hosts) known.hosts.push(host);
  }
  return [...rows.values()].map((row) => ({ ...row, hosts: row.hosts.sort() }));
}

/**
 * Rows for a screen that has room for so many. Where there are more, hosts that lack the same thing to a different extent
 * share one; `more` is how many rows are left out even so.
 */
export function fittingRows(schedule: Schedule, room: number): { readonly rows: ScreenRow[]; readonly more: number } {
  const fine = screenRows(schedule);
  const rows = fine.length > room ? screenRows(schedule, true) : fine;
  return { rows: rows.slice(0, room), more: Math.max(0, rows.length - room) };
}
