import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { createFrameDecoder, encodeBatch, type Frame } from '../../src/nodes/batch.ts';
import type { Command, CommandResult } from '../../src/nodes/command.ts';
import type { ShellUnderTest } from './shells.ts';

export const runtimes: string[] = [];
afterAll(() => {
  for (const runtime of runtimes) rmSync(runtime, { recursive: true, force: true });
});

/** Starts a batch as a node's login shell would. */
export function start(
  shell: ShellUnderTest,
  commands: readonly Command[],
  overallSeconds = 20,
  path = process.env.PATH,
) {
  const runtime = mkdtempSync(join(tmpdir(), 'osd-run-'));
  runtimes.push(runtime);
  const batch = encodeBatch(commands, { overallSeconds });
  const child = spawn(shell.argv[0], [...shell.argv.slice(1), '-c', batch.exec], {
    detached: true,
    env: { ...process.env, XDG_RUNTIME_DIR: runtime, PATH: path },
  });
  child.stdin.on('error', () => {});
  child.stdin.write(batch.stdin);
  return { child, leftFiles: () => readdirSync(runtime) };
}

/** The same, started by a process of its own that can be killed, as the doctor can. */
export function startDoctor(shell: ShellUnderTest, commands: readonly Command[], overallSeconds = 60) {
  const runtime = mkdtempSync(join(tmpdir(), 'osd-run-'));
  runtimes.push(runtime);
  const { exec, stdin } = encodeBatch(commands, { overallSeconds });
  const script = `const { OSD_TEST, ...env } = process.env;
const [shell, stdin] = JSON.parse(OSD_TEST);
const child = require('node:child_process').spawn(shell[0], shell.slice(1), { detached: true, stdio: 'pipe', env });
child.stdin.write(stdin);
child.stdout.resume();`;
  // Not among its arguments, where it would be taken for what it starts.
  const batch = JSON.stringify([[...shell.argv, '-c', exec], stdin]);
  const doctor = spawn(process.execPath, ['-e', script], {
    env: { ...process.env, XDG_RUNTIME_DIR: runtime, OSD_TEST: batch },
    stdio: 'ignore',
  });
  return { doctor, leftFiles: () => readdirSync(runtime) };
}

/** Runs a batch as a node's login shell would, and gives the results in order of the commands. */
export async function run(
  shell: ShellUnderTest,
  commands: readonly Command[],
  overallSeconds = 20,
  path = process.env.PATH,
  /** Told that the script has begun (no frame), then of each answer; `say` writes to its input. */
  heard: (frame: Frame | undefined, say: (line: string) => void) => void = () => {},
) {
  const { child, leftFiles } = start(shell, commands, overallSeconds, path);
  const decoder = createFrameDecoder(commands);
  const results: (CommandResult | undefined)[] = commands.map(() => undefined);
  const order: number[] = [];
  const say = (line: string) => void child.stdin.write(line);
  let begun = false;
  await new Promise<void>((resolve) => {
    child.stdout.on('data', (chunk: Buffer) => {
      const frames = decoder.push(chunk);
      if (decoder.begun && !begun) heard(undefined, say);
      begun = decoder.begun;
      for (const frame of frames) {
        results[frame.index] = frame.result;
        order.push(frame.index);
        heard(frame, say);
      }
      if (decoder.done) child.stdin.end();
    });
    child.once('close', () => resolve());
  });
  return { results, order, decoder, leftFiles };
}

export const only = (results: readonly (CommandResult | undefined)[]): CommandResult => {
  const [result] = results;
  if (result === undefined) throw new Error('no answer');
  return result;
};

/** Processes whose arguments contain this word. */
export function running(word: string): string[] {
  try {
    return execFileSync('pgrep', ['-f', `[s]leep ${word}`], { encoding: 'utf8' })
      .trim()
      .split('\n');
  } catch {
    return [];
  }
}
export const until = async (holds: () => boolean, what: string): Promise<void> => {
  const end = Date.now() + 10_000;
  while (!holds()) {
    if (Date.now() > end) throw new Error(`not so after 10 s: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
};
/** A duration that nobody else sleeps for. */
let sleeps = 0;
export const uniqueSleep = (): string => `9${process.pid}.${++sleeps}`;
