import type { RunReport } from '../engine/report.ts';
import { safeLine } from '../ui/safe-text.ts';
import { shortIds } from './page.ts';
import { confidenceWords, plural } from './words.ts';

type NagiosState = 'OK' | 'WARNING' | 'CRITICAL' | 'UNKNOWN';

/** Exit codes of the monitoring plugins' guidelines; they replace the usual ones under `--output nagios`. */
export const nagiosExit: Readonly<Record<NagiosState, 0 | 1 | 2 | 3>> = { OK: 0, WARNING: 1, CRITICAL: 2, UNKNOWN: 3 };

/** A cause is critical; not having been able to look is unknown, never fine; warnings warn. */
export function nagiosState({ diagnosis, counts, exitCode }: RunReport): NagiosState {
  if (diagnosis.causes.length > 0) return 'CRITICAL';
  if (exitCode > 1 || counts.blocked + counts.unknown > 0) return 'UNKNOWN';
  return diagnosis.remarks.some((r) => r.severity !== 'info') ? 'WARNING' : 'OK';
}

/** One line: state, what, and performance data after the bar (which therefore cannot stand in the text). */
export function renderNagios(report: RunReport): string {
  const { counts, diagnosis } = report;
  const state = nagiosState(report);
  const total = counts.ok + counts.problem + counts.skipped + counts.blocked + counts.unknown;
  const named = (
    state === 'CRITICAL'
      ? diagnosis.causes.map((c) => c.finding)
      : diagnosis.remarks.filter((r) => r.severity !== 'info')
  )
    .slice(0, 3)
    .map((f) => `${f.code} ${f.summary.replace(/\.$/, '')}${state === 'CRITICAL' ? ` (${confidenceWords(f)})` : ''}`)
    .join('; ');
  const words: Record<NagiosState, string> = {
    OK: 'no fault found',
    WARNING: `${plural(diagnosis.remarks.filter((r) => r.severity !== 'info').length, 'warning')}: ${named}`,
    CRITICAL: `${plural(diagnosis.causes.length, 'cause')}: ${named}`,
    UNKNOWN: `${plural(counts.blocked + counts.unknown, 'check')} could not look`,
  };
  const text = shortIds(safeLine(words[state])).replaceAll('|', '/');
  const data = `checks=${total} ok=${counts.ok} problem=${counts.problem} blocked=${counts.blocked} ms=${Math.round(report.elapsedMs)}`;
  return `OSTK ${state} - ${text} | ${data}\n`;
}
