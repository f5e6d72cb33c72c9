import type { Readable, Writable } from 'node:stream';
import type { NodeFailureStage } from '../engine/failure.ts';
import { err, ok, type Result } from '../engine/result.ts';
import {
  type Batch,
  createFrameDecoder,
  defaultTimeoutSeconds,
  encodeBatch,
  enoughLine,
  listenSeconds,
} from './batch.ts';
import type { Command, CommandResult } from './command.ts';
import { commandLine, judge } from './command-failure.ts';
import type { NodeFailure } from './nodes.ts';

export type CommandOutcome = Result<CommandResult, NodeFailure>;

/** Told of each command's outcome as soon as it is known, before the batch is over. */
export type OnResult = (index: number, outcome: CommandOutcome) => void;

/** One exec channel to a node, just opened. */
export interface Channel {
  readonly stdin: Writable;
  readonly stdout: Readable;
  readonly stderr: Readable;
  /** Resolves when the far process is gone or the link is; `lost` says why in the latter case. Never rejects. */
  readonly ended: Promise<{ readonly code: number | null; readonly lost?: string }>;
  /** Closes the channel at once; the node's watchdog then ends what runs there. */
  destroy(): void;
}

/** Longest batch, seconds: a wave of pings and captures, not a service. */
const longest = 300;

/** How long the far shell may take to say that it runs the script: PAM, a slow home directory, sudo with LDAP. */
const defaultBeginSeconds = 20;

/**
 * Time that this batch may take on the node: commands in turn one after the other, the parallel ones together, and the
 * time that the former wait until the latter listen.
 */
export function overallSeconds(commands: readonly Command[]): number {
  let inTurn = 0;
  let sideBySide = 0;
  for (const command of commands) {
    const seconds = command.timeoutSeconds ?? defaultTimeoutSeconds;
    if (command.parallel === true) sideBySide = Math.max(sideBySide, seconds);
    else inTurn += seconds;
  }
  const setUp = commands.some(({ listens }) => listens !== undefined) ? listenSeconds + 1 : 0;
  return Math.min(longest, Math.ceil(inTurn + sideBySide + setUp + 5));
}

export const unreachable = (host: string, stage: NodeFailureStage, detail: string, fix: string): NodeFailure => ({
  kind: 'unreachable',
  host,
  stage,
  detail,
  fix,
});

/** The words of a login shell (or of something that is none) that did not run our script. */
const lastLine = (text: string): string =>
  text
    .split(/[\r\n]+/)
    .map((line) => line.trim())
    .filter((line) => line !== '')
    .at(-1) ?? '';

export interface ExchangeOptions {
  readonly host: string;
  readonly user?: string | undefined;
  readonly commands: readonly Command[];
  readonly signal?: AbortSignal | undefined;
  readonly onResult?: OnResult | undefined;
  /** Ends the commands that have `listens`; the others go on. */
  readonly enough?: AbortSignal | undefined;
  /** What the way there says of a far process that ended without having begun: its exit code and error output. */
  readonly explain?: (code: number | null, stderr: string) => NodeFailure | undefined;
  /** The doctor's clock, ms. */
  readonly now: () => number;
  /** How long the far shell may take to begin, where it is not to have the usual time. */
  readonly beginSeconds?: number | undefined;
}

/**
 * Sends a batch over a channel and collects its frames. The whole fails only when the node never began to run the
 * script; when the link is lost later, commands that had answered keep their answers.
 */
export async function exchange(
  open: (batch: Batch) => Promise<Result<Channel, NodeFailure>>,
  options: ExchangeOptions,
): Promise<Result<readonly CommandOutcome[], NodeFailure>> {
  const { host, user, commands, signal, onResult, enough } = options;
  if (commands.length === 0) return ok([]);
  const seconds = overallSeconds(commands);
  const batch = encodeBatch(commands, { overallSeconds: seconds });
  const opened = await open(batch);
  if (!opened.ok) return opened;
  const channel = opened.value;

  const decoder = createFrameDecoder(commands, { sentAt: options.now() });
  const outcomes: (CommandOutcome | undefined)[] = commands.map(() => undefined);
  const settle = (index: number, outcome: CommandOutcome) => {
    if (outcomes[index] !== undefined) return;
    outcomes[index] = outcome;
    onResult?.(index, outcome);
  };

  let complaint = '';
  let broken: string | undefined;
  const ignore = () => {};
  channel.stdin.on('error', ignore);
  channel.stderr.on('error', ignore);
  channel.stderr.on('data', (chunk: Buffer) => {
    if (complaint.length < 4096) complaint += chunk.toString('latin1');
  });
  let told = !commands.some(({ listens }) => listens !== undefined);
  const tell = () => {
    if (told || enough?.aborted !== true || !decoder.begun) return;
    told = true;
    channel.stdin.write(enoughLine);
  };
  const beginSeconds = options.beginSeconds ?? defaultBeginSeconds;
  const end = await new Promise<{ code: number | null; lost?: string; why?: 'limit' | 'abort' }>((resolve) => {
    channel.stdout.on('data', (chunk: Buffer) => {
      for (const { index, result } of decoder.push(chunk)) {
        const command = commands[index];
        if (command !== undefined) settle(index, judge(host, user, command, result));
      }
      if (decoder.done) finish({ code: 0 });
      else tell();
    });
    channel.stdout.on('error', (error) => {
      broken = error.message;
    });
    const limit = setTimeout(() => finish({ code: null, why: 'limit' }), (seconds + 5) * 1000);
    // A shell that never starts is not given the time that the commands may take.
    const begin = setTimeout(() => {
      if (!decoder.begun) finish({ code: null, why: 'limit' });
    }, beginSeconds * 1000);
    const abort = () => finish({ code: null, why: 'abort' });
    const finish = (how: { code: number | null; lost?: string; why?: 'limit' | 'abort' }) => {
      clearTimeout(limit);
      clearTimeout(begin);
      signal?.removeEventListener('abort', abort);
      enough?.removeEventListener('abort', tell);
      resolve(how);
    };
    void channel.ended.then(finish);
    if (signal?.aborted) return abort();
    signal?.addEventListener('abort', abort, { once: true });
    enough?.addEventListener('abort', tell, { once: true });
    channel.stdin.write(batch.stdin);
  });
  if (decoder.done) channel.stdin.end();
  else channel.destroy();

  if (decoder.complaint !== undefined) {
    return err(unreachable(host, 'shell', decoder.complaint, `make room on ${host}: df -h /dev/shm /tmp`));
  }
  if (!decoder.begun) {
    if (end.why === 'limit') return err({ kind: 'timeout', what: `a shell on ${host}`, seconds: beginSeconds });
    if (end.why === 'abort') return err(unreachable(host, 'lost', 'interrupted', 'run it again'));
    const explained = options.explain?.(end.code, complaint);
    if (explained !== undefined) return err(explained);
    if (end.lost !== undefined) return err(unreachable(host, 'lost', end.lost, `ssh ${host}`));
    const said =
      lastLine(complaint) || lastLine(decoder.noise) || `the login shell ended with status ${end.code ?? 'unknown'}`;
    const fix =
      /timeout|nice|head/.test(said) && /not found/.test(said)
        ? `install coreutils on ${host}`
        : `log in with a user whose shell runs commands: ssh ${user === undefined ? '' : `${user}@`}${host} true`;
    return err(unreachable(host, 'shell', said, fix));
  }
  commands.forEach((command, index) => {
    if (outcomes[index] !== undefined) return;
    const overrun = end.why === 'limit' || end.code === 124 || end.code === 137;
    settle(
      index,
      err(
        overrun
          ? { kind: 'timeout', what: `${commandLine(command)} on ${host}`, seconds }
          : unreachable(
              host,
              'lost',
              end.why === 'abort'
                ? 'interrupted'
                : (end.lost ?? broken ?? 'the connection ended before the answer came'),
              end.why === 'abort' ? 'run it again' : `ssh ${host}`,
            ),
      ),
    );
  });
  return ok(outcomes.filter((outcome) => outcome !== undefined));
}
