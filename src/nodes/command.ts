/** read: looks. probe: sends a few packets. capture: bounded tcpdump. There is no `change`. */
export type Impact = 'read' | 'probe' | 'capture';

/** One command for one node, as data. It becomes shell text in exactly one place (`quote.ts`). */
export interface Command {
  readonly argv: readonly [string, ...string[]];
  readonly impact: Impact;
  /** Runs inside this network namespace (`ip netns exec`). */
  readonly netns?: string;
  /** Needs root; `sudo -n` is put in front when we are not root. Commands in a namespace always need it. */
  readonly become?: boolean;
  /** Node-side time limit in seconds (default 10). */
  readonly timeoutSeconds?: number;
  /** Output bound per stream (default 4 MiB); more is cut and `truncated` is set. */
  readonly maxBytes?: number;
  /** Runs side by side with the other parallel commands of its batch (pings); the rest run one after the other. */
  readonly parallel?: boolean;
  /**
   * Its standard output is bytes, not text: `CommandResult.stdout` then holds them in base64. They cross the wire as they
   * are; `maxBytes` bounds the bytes.
   */
  readonly encoding?: 'base64';
  /**
   * Only of a parallel command: part of a line that it writes to its error output once it is set up (tcpdump:
   * `listening on`). The commands in turn of the same batch begin when every such command has said so or has ended, or
   * after `listenSeconds`. All such commands of a batch run at the same time, and they can be told that it is enough.
   */
  readonly listens?: string;
  /** Tells apart two runs of the same command (counters before and after); part of the recording's key. */
  readonly round?: string;
}

export interface CommandResult {
  /** Exit code; null when a signal or the time limit ended it. */
  readonly code: number | null;
  /** Text, or base64 where the command says so (`Command.encoding`). */
  readonly stdout: string;
  readonly stderr: string;
  readonly truncated: boolean;
  readonly timedOut: boolean;
  /** ISO 8601, doctor's clock. */
  readonly startedAt: string;
  readonly ms: number;
}
