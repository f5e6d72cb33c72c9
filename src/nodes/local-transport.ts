import { spawn } from 'node:child_process';
import { err, ok, type Result } from '../engine/result.ts';
import type { Batch } from './batch.ts';
import { type Channel, exchange, unreachable } from './exchange.ts';
import type { NodeFailure, NodeTransport } from './nodes.ts';

/** Runs a batch in a session of its own, so that ending its process group can never reach the doctor. */
function openShell(host: string, shell: string, batch: Batch): Promise<Result<Channel, NodeFailure>> {
  return new Promise((resolve) => {
    const child = spawn(shell, ['-c', batch.exec], { detached: true, stdio: ['pipe', 'pipe', 'pipe'], cwd: '/' });
    child.once('error', (error) => resolve(err(unreachable(host, 'shell', error.message, `${shell} must run here`))));
    child.once('spawn', () =>
      resolve(
        ok({
          stdin: child.stdin,
          stdout: child.stdout,
          stderr: child.stderr,
          ended: new Promise((done) => child.once('close', (code) => done({ code }))),
          destroy: () => child.stdin.destroy(),
        }),
      ),
    );
  });
}

/** The node that the doctor itself runs on. */
export function createLocalTransport(
  host: string,
  options: { readonly shell?: string; readonly now?: () => number } = {},
): NodeTransport {
  return {
    kind: 'local',
    host,
    runBatch: (commands, signal, onResult, enough) =>
      exchange((batch) => openShell(host, options.shell ?? '/bin/sh', batch), {
        host,
        user: process.env.USER,
        commands,
        signal,
        onResult,
        enough,
        now: options.now ?? Date.now,
      }),
    close: async () => {},
  };
}
