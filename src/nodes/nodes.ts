import type { FactFailure } from '../engine/failure.ts';
import type { Result } from '../engine/result.ts';
import type { Command, CommandResult } from './command.ts';
import type { Layout } from './layouts/layout.ts';

/** A node failure is always one of these kinds of fact failure. */
export type NodeFailure = Extract<
  FactFailure,
  { kind: 'unreachable' | 'timeout' | 'sudo' | 'missing-tool' | 'command' }
>;

/**
 * One way to reach one host. `runBatch` sends all commands in one channel and gives their results in order. Where the
 * answers come one by one, `onResult` is told of each as it comes (a ping of five seconds then holds up nobody else).
 * When `enough` fires, the node ends the batch's commands that have `listens`; the rest of the batch goes on.
 */
export interface NodeTransport {
  readonly kind: 'ssh2' | 'openssh' | 'local' | 'replay';
  readonly host: string;
  runBatch(
    commands: readonly Command[],
    signal?: AbortSignal,
    onResult?: (index: number, result: Result<CommandResult, NodeFailure>) => void,
    enough?: AbortSignal,
  ): Promise<Result<readonly Result<CommandResult, NodeFailure>[], NodeFailure>>;
  /** Connects ahead of need, where there is a connection to make. Never fails. */
  warm?(): void;
  close(): Promise<void>;
}

export interface RunCommand {
  /**
   * Ends a command that has `listens` before its time is up: it is asked to stop (SIGTERM), and answers with what it has.
   * Commands of one batch end together, and one command that several ask for ends for all of them: when the last of
   * those who asked has had enough. Who gives none wants it whole. Other commands take no notice.
   */
  readonly enough?: AbortSignal;
}

/** All nodes. Commands asked for in the same wave travel together, one channel per host and wave. */
export interface Nodes {
  /** `host` is the name the API uses; the mapping to an SSH target is ours. */
  run(host: string, command: Command, options?: RunCommand): Promise<Result<CommandResult, NodeFailure>>;
  /** How this host's services are laid out (packages, Kolla, TripleO, DevStack); detected once. */
  layout(host: string): Promise<Result<Layout, NodeFailure>>;
  /** Connects ahead of need, so that the handshake overlaps API round trips. Never fails. */
  warm(host: string): void;
  readonly statistics: { readonly connections: number; readonly channels: number; readonly commands: number };
  close(): Promise<void>;
}
