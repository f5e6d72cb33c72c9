import type { Reporter, RunEvent } from '../engine/events.ts';
import type { RunReport } from '../engine/report.ts';
import { type Terminal, terminalOf } from '../ui/terminal.ts';
import { createTheme, type Theme } from '../ui/theme.ts';

export interface OutputOptions {
  readonly output?: 'human' | 'json' | 'ndjson' | 'junit' | 'markdown' | 'nagios';
  readonly verbose?: number;
  readonly color?: 'always' | 'auto' | 'never';
  readonly ascii?: boolean;
  readonly input?: boolean;
  readonly debug?: boolean;
}

const stream = (out: NodeJS.WriteStream, o: OutputOptions): Terminal =>
  terminalOf({
    isTTY: out.isTTY === true,
    columns: out.columns,
    env: process.env,
    flags: {
      ...(o.color === undefined ? {} : { color: o.color }),
      ...(o.ascii === undefined ? {} : { ascii: o.ascii }),
      ...(o.input === undefined ? {} : { input: o.input }),
    },
  });

export interface Screen {
  readonly stdout: Terminal & { readonly theme: Theme };
  readonly stderr: Terminal & { readonly theme: Theme };
  readonly verbosity: 0 | 1 | 2;
}

/** stdout and stderr are judged apart: one may be a file while the other is a terminal. */
export function screenOf(o: OutputOptions): Screen {
  const [out, err] = [stream(process.stdout, o), stream(process.stderr, o)];
  const verbose = o.verbose ?? 0;
  return {
    stdout: { ...out, theme: createTheme(out) },
    stderr: { ...err, theme: createTheme(err) },
    verbosity: verbose >= 2 ? 2 : verbose === 1 ? 1 : 0,
  };
}

const print = (text: string): void => {
  process.stdout.write(text);
};

/** The reporter that `--output` names. */
export async function reporterFor(o: OutputOptions, screen: Screen): Promise<Reporter> {
  const { finalReporter } = await import('../report/final.ts');
  const format = o.output ?? 'human';
  switch (format) {
    case 'human': {
      const { renderHuman } = await import('../report/human.ts');
      const options = { width: screen.stdout.width, theme: screen.stdout.theme, verbosity: screen.verbosity };
      return finalReporter((report: RunReport) => renderHuman(report, options), print);
    }
    case 'json': {
      const { renderJson } = await import('../report/json.ts');
      return finalReporter(renderJson, print);
    }
    case 'ndjson': {
      const { ndjsonReporter } = await import('../report/ndjson.ts');
      return ndjsonReporter(print);
    }
    case 'junit': {
      const { renderJunit } = await import('../report/junit.ts');
      return finalReporter(renderJunit, print);
    }
    case 'markdown': {
      const { renderMarkdown } = await import('../report/markdown.ts');
      return finalReporter(renderMarkdown, print);
    }
    case 'nagios': {
      const { renderNagios } = await import('../report/nagios.ts');
      return finalReporter(renderNagios, print);
    }
  }
}

/** Nagios has exit codes of its own. */
export async function exitFor(o: OutputOptions, report: RunReport): Promise<number> {
  if (o.output !== 'nagios') return report.exitCode;
  const { nagiosExit, nagiosState } = await import('../report/nagios.ts');
  return nagiosExit[nagiosState(report)];
}

export const fanOut =
  (reporters: readonly Reporter[]) =>
  (event: RunEvent): void => {
    for (const reporter of reporters) reporter.on(event);
  };
