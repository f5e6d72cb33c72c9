import type { RunReport } from '../../../src/engine/report.ts';
import type { Schedule } from '../../../src/engine/schedule.ts';
import type { Case } from './cases.ts';
import type { Truth } from './truth.ts';

export interface HostRow {
  readonly host: string;
  /** Where Nova dropped it; empty: nowhere. */
  readonly nova: string;
  /** Where the doctor says that it is dropped first. */
  readonly said: string;
  readonly equal: boolean;
  /** Why not. */
  readonly why?: string;
}

/**
 * Equal: the doctor rejects the host at the step at which Nova dropped it, and at none that the host has passed at Nova. Steps
 * that Nova never came to are not compared.
 */
export function compared(schedule: Schedule | undefined, truth: Truth): HostRow[] {
  return Object.entries(truth.hosts).map(([host, { stop = '', passed }]) => {
    const row = schedule?.rows.find((r) => r.hosts.includes(host));
    if (schedule === undefined || row === undefined)
      return { host, nova: stop, said: '?', equal: false, why: 'it has no row' };
    const at = (id: string) => row.verdicts[schedule.columns.findIndex((c) => c.id === id)];
    const said = row.stoppedAt === undefined ? '' : (schedule.columns[row.stoppedAt]?.id ?? '?');
    const wrong = passed.filter((id) => at(id)?.state === 'rejects');
    const stopped = stop === '' ? undefined : at(stop);
    const why =
      wrong.length > 0
        ? `it passed ${wrong.join(', ')}`
        : stop === '' || stopped?.state === 'rejects'
          ? undefined
          : `${stop}: ${stopped?.state ?? 'no such step'}`;
    return { host, nova: stop, said, equal: why === undefined, ...(why === undefined ? {} : { why }) };
  });
}

/** The words of the first cause, for the table, and whether they are about what was made. */
export function firstOf(report: RunReport | undefined, c: Case): { readonly said: string; readonly right: boolean } {
  const finding = report?.diagnosis.causes[0]?.finding;
  if (finding === undefined) return { said: '-', right: false };
  const told = `${finding.summary} ${finding.subject}`.toLowerCase();
  return {
    said: `${finding.code} ${finding.summary}`,
    right:
      c.about.some((word) => told.includes(word.toLowerCase())) &&
      (c.shown === undefined || JSON.stringify(finding).includes(c.shown)),
  };
}
