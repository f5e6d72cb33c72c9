import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import ssh2 from 'ssh2';
import type { DemoCloud } from '../../src/demo/server.ts';
import { createFrameDecoder, encodeBatch, type Frame } from '../../src/nodes/batch.ts';
import type { Command } from '../../src/nodes/command.ts';

/** What became of one batch. */
export interface Ran {
  readonly frames: readonly Frame[];
  readonly done: boolean;
  readonly bytes: number;
  readonly error?: string;
}

/** Runs one batch with the real ssh2 client, with the host key checked against the demo's known_hosts. */
export function runBatch(
  demo: DemoCloud,
  host: string,
  commands: readonly Command[],
  options: { key?: string; readyTimeout?: number; patience?: number; onOpen?: () => void } = {},
): Promise<Ran> {
  const at = demo.hosts[host];
  if (!at) throw new Error(`no host ${host}`);
  const batch = encodeBatch(commands, { overallSeconds: 30 });
  const decoder = createFrameDecoder(commands);
  const frames: Frame[] = [];
  const client = new ssh2.Client();
  let bytes = 0;
  return new Promise((resolve) => {
    let error: string | undefined;
    const settle = () => {
      clearTimeout(patience);
      client.destroy();
      resolve({ frames, done: decoder.done, bytes, ...(error === undefined ? {} : { error }) });
    };
    const patience = setTimeout(() => {
      error = 'out of patience';
      settle();
    }, options.patience ?? 10_000);
    client.on('error', (problem) => {
      error ??= problem.message;
      settle();
    });
    client.on('close', settle);
    client.on('ready', () => {
      client.exec(batch.exec, (problem, channel) => {
        if (problem) {
          error = problem.message;
          settle();
          return;
        }
        channel.on('data', (chunk: Buffer) => {
          bytes += chunk.length;
          frames.push(...decoder.push(chunk));
          if (decoder.done) settle();
        });
        channel.on('close', settle);
        channel.write(batch.stdin);
        options.onOpen?.();
      });
    });
    client.connect({
      host: at.address,
      port: at.port,
      username: demo.user,
      privateKey: options.key ?? readFileSync(demo.userKeyPath),
      readyTimeout: options.readyTimeout ?? 5000,
      hostVerifier: (key: Buffer) => at.hostKeyLine.endsWith(key.toString('base64')),
    });
    client.setNoDelay(true);
  });
}

/** The same with the ssh of the system. */
export function runWithSystemSsh(
  demo: DemoCloud,
  host: string,
  commands: readonly Command[],
): Promise<Ran & { stderr: string }> {
  const batch = encodeBatch(commands, { overallSeconds: 30 });
  const decoder = createFrameDecoder(commands);
  const frames: Frame[] = [];
  const child = spawn('ssh', ['-T', '-F', demo.sshConfigPath, '--', host, batch.exec]);
  let stderr = '';
  let bytes = 0;
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.stderr.on('data', (chunk: Buffer) => {
      stderr += chunk.toString();
    });
    child.stdout.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      frames.push(...decoder.push(chunk));
      if (decoder.done) child.stdin.end();
    });
    child.on('close', () => resolve({ frames, done: decoder.done, bytes, stderr }));
    child.stdin.on('error', () => {});
    child.stdin.write(batch.stdin);
  });
}
