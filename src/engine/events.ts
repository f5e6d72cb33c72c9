import type { CheckReport, RunReport } from './report.ts';

/** What happens during a run, for progress on stderr and for `--output ndjson`. */
export type RunEvent =
  | { readonly type: 'run.start'; readonly command: string; readonly startedAt: string }
  | { readonly type: 'waiting'; readonly on: readonly string[]; readonly seconds: number }
  | { readonly type: 'check.end'; readonly step: string; readonly check: CheckReport }
  | { readonly type: 'note'; readonly level: 'info' | 'warning'; readonly text: string }
  | { readonly type: 'run.end'; readonly report: RunReport };

/** Turns events into bytes; decides nothing. */
export interface Reporter {
  on(event: RunEvent): void;
  /** Called once after `run.end`; all output must be written by then. */
  end(): Promise<void>;
}
