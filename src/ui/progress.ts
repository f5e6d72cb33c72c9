import type { Reporter, RunEvent } from '../engine/events.ts';
import { unreachable } from '../engine/result.ts';
import { safeLine } from './safe-text.ts';
import type { Theme } from './theme.ts';

export interface ProgressOptions {
  readonly stream: NodeJS.WriteStream;
  /** A person watches the stream: one moving line. Otherwise nothing, or plain lines with `verbose`. */
  readonly interactive: boolean;
  readonly verbose: boolean;
  readonly theme: Theme;
  /** Asked anew for every line: terminals are resized. */
  readonly width: () => number;
  /** Milliseconds; monotonic. */
  readonly now?: () => number;
  /** Loads the spinner; replaced in tests. */
  readonly spinner?: (stream: NodeJS.WriteStream, theme: Theme) => Promise<Spinner>;
}

export interface Spinner {
  show(text: string): void;
  stop(): void;
}

/** What the moving line is drawn from. */
export interface ProgressState {
  readonly checksDone: number;
  readonly on: readonly string[];
  /** Seconds for which the first of them has been waited for. */
  readonly seconds: number;
}

const slowAfterSeconds = 10;

/** The moving line: how far, what is waited for and for how long; after ten seconds why that can be slow. */
export function progressLine({ checksDone, on, seconds }: ProgressState): string {
  const done = checksDone === 0 ? '' : `${checksDone} ${checksDone === 1 ? 'check' : 'checks'} done, `;
  const names = on.map(safeLine).filter((name) => name !== '');
  if (names.length === 0) return checksDone === 0 ? 'starting' : `${done}judging`;
  const listed = names.slice(0, 3).join(', ') + (names.length > 3 ? ` and ${names.length - 3} more` : '');
  const since = seconds < 1 ? '' : ` (${Math.floor(seconds)} s)`;
  return `${done}waiting for ${listed}${since}${seconds < slowAfterSeconds ? '' : `: ${slowBecause(names[0] ?? '')}`}`;
}

const services = /\b(keystone|nova|neutron|glance|placement|cinder|ironic|octavia|identity|compute|network|image)\b/i;

function slowBecause(what: string): string {
  if (/\bsign|\bauth|\btoken/i.test(what)) return 'sign-in is slow when LDAP behind Keystone is';
  if (/\bping|\bprobe/i.test(what)) return 'lost packets are waited for to the end';
  if (/\bcaptur|\btcpdump/i.test(what)) return 'a capture lasts until packets come or its time is over';
  if (services.test(what)) return 'an API is slow when its database or RabbitMQ is';
  return 'a node answers late when it is loaded, or its sshd looks up names; given up at its time limit';
}

/**
 * Progress on stderr. On `run.end` the line is gone before anything else is written: subscribe it before the reporters
 * that write results.
 */
export function progress(options: ProgressOptions): Reporter {
  return options.interactive ? movingLine(options) : options.verbose ? plainLines(options) : silent;
}

const silent: Reporter = { on: () => {}, end: () => Promise.resolve() };

function movingLine(options: ProgressOptions): Reporter {
  const now = options.now ?? (() => performance.now());
  let state: ProgressState = { checksDone: 0, on: [], seconds: 0 };
  let toldAt = now();
  let ended = false;
  let spinner: Spinner | undefined;
  let loading: Promise<void> = Promise.resolve();
  const draw = (): void => {
    const seconds = state.seconds + (now() - toldAt) / 1000;
    spinner?.show(shorten(options.theme.spell(progressLine({ ...state, seconds })), options.width() - 4));
  };
  const stop = (): void => {
    ended = true;
    clearInterval(timer);
    spinner?.stop();
    spinner = undefined;
  };
  const start = async (): Promise<void> => {
    const loaded = await (options.spinner ?? oraSpinner)(options.stream, options.theme);
    if (ended) return;
    spinner = loaded;
    draw();
  };
  const timer = setInterval(draw, 500).unref();
  return {
    on(event: RunEvent) {
      switch (event.type) {
        case 'run.start':
          toldAt = now();
          loading = start();
          return;
        case 'waiting':
          state = { ...state, on: event.on, seconds: event.seconds };
          toldAt = now();
          draw();
          return;
        case 'check.end':
          state = { ...state, checksDone: state.checksDone + 1 };
          draw();
          return;
        case 'note':
          // The report says it; a line of its own would be torn by the moving one.
          return;
        case 'run.end':
          stop();
          return;
        default:
          unreachable(event);
      }
    },
    async end() {
      stop();
      await loading;
    },
  };
}

/** Plain text is enough here: the line holds names and numbers, and is cut before it would wrap. */
const shorten = (text: string, width: number): string =>
  text.length <= width ? text : `${text.slice(0, width - 3)}...`;

function plainLines({ stream, theme }: ProgressOptions): Reporter {
  const write = (text: string): void => {
    stream.write(`${theme.spell(safeLine(text))}\n`);
  };
  let lastSlow = 0;
  return {
    on(event: RunEvent) {
      switch (event.type) {
        case 'run.start':
        case 'run.end':
          return;
        case 'waiting':
          if (event.seconds < slowAfterSeconds || event.seconds < lastSlow + slowAfterSeconds) {
            if (event.seconds < lastSlow) lastSlow = 0;
            return;
          }
          lastSlow = event.seconds;
          write(progressLine({ checksDone: 0, on: event.on, seconds: event.seconds }));
          return;
        case 'check.end':
          write(`${event.check.outcome.status}: ${event.check.id} ${event.check.subject}`);
          return;
        case 'note':
          write(`${event.level === 'warning' ? 'warning: ' : ''}${event.text}`);
          return;
        default:
          unreachable(event);
      }
    },
    end: () => Promise.resolve(),
  };
}

/** ora, loaded when it is needed: it costs more to load than a healthy run takes to start. */
async function oraSpinner(stream: NodeJS.WriteStream, theme: Theme): Promise<Spinner> {
  const { default: ora } = await import('ora');
  const frames = (theme.unicode ? ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'] : ['-', '\\', '|', '/']).map((f) =>
    theme.paint('host', f),
  );
  const spinner = ora({
    stream,
    isEnabled: true,
    // ora's own colour does not know NO_COLOR; the frames are painted already.
    color: false,
    // Raw mode would take Ctrl-C away from us.
    discardStdin: false,
    spinner: { frames, interval: theme.unicode ? 80 : 130 },
  });
  return {
    show(text) {
      spinner.text = text;
      if (!spinner.isSpinning) spinner.start();
    },
    stop: () => void spinner.stop(),
  };
}
