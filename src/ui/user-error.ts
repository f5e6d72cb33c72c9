import { UserError } from '../engine/error.ts';
import type { ExitCode } from '../engine/report.ts';
import { Interrupted } from './prompts.ts';
import { safeLine, safeText } from './safe-text.ts';
import type { Theme } from './theme.ts';

export interface ErrorOptions {
  readonly theme: Theme;
  /** Adds the stack of an internal error. */
  readonly debug: boolean;
  /** File that holds the debug log of this run, when one was written. */
  readonly debugLog?: string;
  /** Where to report our own bugs. */
  readonly issues?: string;
}

/** 2 (or 3) for a user error, 130 after Ctrl-C, 4 for everything else: that is our own bug. */
export function exitCodeOf(error: unknown): ExitCode {
  if (error instanceof UserError) return error.exitCode;
  if (error instanceof Interrupted) return 130;
  return 4;
}

/** What stderr says about an error that ended the run: at most four lines, each ending in a newline. */
export function renderError(error: unknown, options: ErrorOptions): string {
  if (error instanceof UserError) return renderUserError(error, options.theme);
  if (error instanceof Interrupted) return `${options.theme.paint('warn', 'interrupted')}\n`;
  return renderInternalError(error, options);
}

function renderUserError(error: UserError, theme: Theme): string {
  const [what = '', ...why] = error.message.split('\n');
  return lines(theme, [
    [theme.paint('problem', 'error:'), what],
    [theme.paint('dim', 'where:'), error.where],
    [theme.paint('dim', '  why:'), why.join(' ')],
    [theme.paint('dim', '   do:'), error.hint],
  ]);
}

function renderInternalError(error: unknown, { theme, debug, debugLog, issues }: ErrorOptions): string {
  const said = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  const report = issues === undefined ? 'report it with this message' : `report it at ${issues}`;
  const text = lines(theme, [
    [theme.paint('problem', 'internal error:'), `${said} (a bug in ostk-doctor, not in your cloud)`],
    [theme.paint('dim', '           log:'), debugLog],
    [theme.paint('dim', '            do:'), debug ? report : `${report}; --debug shows the stack`],
  ]);
  const stack = debug && error instanceof Error ? (error.stack ?? '') : '';
  return stack === '' ? text : `${text}${theme.spell(safeText(stack))}\n`;
}

const lines = (theme: Theme, rows: readonly (readonly [label: string, text: string | undefined])[]): string =>
  rows
    .flatMap(([label, text]) =>
      text === undefined || text === '' ? [] : [`${label} ${theme.spell(safeLine(text))}\n`],
    )
    .join('');
