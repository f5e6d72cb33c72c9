export type ColorLevel = 0 | 1 | 2 | 3;

/** All that is known of one output stream. Two streams of one process may differ: decide for each on its own. */
export interface StreamFacts {
  readonly isTTY: boolean;
  readonly columns?: number | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly flags?: TerminalFlags;
}

export interface TerminalFlags {
  readonly color?: 'always' | 'auto' | 'never';
  readonly ascii?: boolean;
  /** False under `--no-input`. */
  readonly input?: boolean;
}

export interface Terminal {
  readonly colorLevel: ColorLevel;
  readonly unicode: boolean;
  /** Columns, at least 60. */
  readonly width: number;
  /** A person may be watching this stream live: moving lines and prompts make sense. */
  readonly interactive: boolean;
}

export const minimumWidth = 60;
const assumedWidth = 80;

/** Decides what a stream can show; pure. */
export function terminalOf(facts: StreamFacts): Terminal {
  return {
    colorLevel: colorLevel(facts),
    unicode: unicode(facts),
    width: width(facts),
    interactive: facts.isTTY && facts.env.TERM !== 'dumb' && !isSet(facts.env.CI) && facts.flags?.input !== false,
  };
}

/** `CI=false` and `CI=0` mean no CI, as the usual detectors read it. */
const isSet = (value: string | undefined): boolean =>
  value !== undefined && value !== '' && value !== 'false' && value !== '0';

/** Flag, then NO_COLOR when not empty (https://no-color.org), then FORCE_COLOR, then whether a terminal listens. */
function colorLevel({ isTTY, env, flags }: StreamFacts): ColorLevel {
  if (flags?.color === 'never') return 0;
  if (flags?.color === 'always') return depth(env);
  if (env.NO_COLOR !== undefined && env.NO_COLOR !== '') return 0;
  switch (env.FORCE_COLOR) {
    case undefined:
      return isTTY && env.TERM !== 'dumb' ? depth(env) : 0;
    case '0':
    case 'false':
      return 0;
    case '2':
      return 2;
    case '3':
      return 3;
    default:
      return 1;
  }
}

function depth(env: StreamFacts['env']): ColorLevel {
  if (env.COLORTERM === 'truecolor' || env.COLORTERM === '24bit') return 3;
  return (env.TERM ?? '').includes('256color') ? 2 : 1;
}

/** The locale's character set in POSIX order (LC_ALL, LC_CTYPE, LANG: the first that is not empty decides). */
function unicode({ env, flags }: StreamFacts): boolean {
  if (flags?.ascii === true) return false;
  if (env.TERM === 'linux' || env.TERM === 'dumb') return false;
  const locale = [env.LC_ALL, env.LC_CTYPE, env.LANG].find((value) => value !== undefined && value !== '');
  return /utf-?8/i.test(locale ?? '') || (locale === undefined && isSet(env.WT_SESSION));
}

function width({ columns, env }: StreamFacts): number {
  const known = [columns, Number.parseInt(env.COLUMNS ?? '', 10)].find(
    (value) => value !== undefined && Number.isSafeInteger(value) && value > 0,
  );
  return Math.max(minimumWidth, known ?? assumedWidth);
}
