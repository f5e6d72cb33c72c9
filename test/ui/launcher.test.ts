import { execFile, spawn } from 'node:child_process';
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const run = promisify(execFile);
const root = fileURLToPath(new URL('../..', import.meta.url));

/** A command line that uses the packages which are hard to bundle, and behaves as its first argument says. */
const entry = `
import { Client } from 'ssh2';
export async function main(argv, { signal }) {
  const [how] = argv;
  if (how === 'packages') {
    const { Chalk } = await import('chalk');
    const { object, string } = await import('zod');
    process.stdout.write(new Chalk({ level: 0 }).red(object({ a: string() }).parse({ a: typeof new Client().connect }).a));
    return 0;
  }
  if (how === 'flood') {
    for (let i = 0; i < 20000; i += 1) process.stdout.write('a line that nobody reads any more\\n');
    return 1;
  }
  process.stdout.write('waiting\\n');
  await new Promise((resolve) => {
    const beat = setInterval(() => {}, 1000);
    signal.addEventListener('abort', () => {
      if (how === 'polite') resolve(clearInterval(beat));
      else process.stdout.write('not yet\\n');
    });
  });
  process.stdout.write('stopped by ' + signal.reason + '\\n');
  return 130;
}
`;

let home: string;

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'ostk-doctor-launcher-'));
  await mkdir(join(home, 'bin'));
  await cp(join(root, 'bin/ostk-doctor.js'), join(home, 'bin/ostk-doctor.js'));
  await cp(join(root, 'package.json'), join(home, 'package.json'));
});
afterAll(() => rm(home, { recursive: true, force: true }));

const launch = (...args: string[]) => run(process.execPath, [join(home, 'bin/ostk-doctor.js'), ...args]);

/** Sends Ctrl-C each time the child has said something, this many times. */
async function interrupt(how: string, times: number): Promise<{ code: number | null; out: string }> {
  const child = spawn(process.execPath, [join(home, 'bin/ostk-doctor.js'), how], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let out = '';
  let sent = 0;
  child.stdout.on('data', (chunk: Buffer) => {
    out += chunk.toString();
    if (sent < times) child.kill('SIGINT');
    sent += 1;
  });
  const code = await new Promise<number | null>((resolve) => child.on('close', resolve));
  return { code, out };
}

describe('the launcher without a build', () => {
  it('tells its version all the same', async () => {
    const { version } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'));
    expect((await launch('--version')).stdout).toBe(`${version}\n`);
  });

  it('says in at most four lines how to build it', async () => {
    const error = await launch('net', 'web-1').catch((e: { code: number; stderr: string }) => e);
    expect(error).toMatchObject({ code: 2 });
    const lines = error.stderr.trimEnd().split('\n');
    expect(lines.length).toBeLessThanOrEqual(4);
    expect(error.stderr).toContain('npm run build');
  });
});

describe('the launcher with a build', () => {
  beforeAll(async () => {
    await writeFile(join(home, 'entry.ts'), entry);
    // The entry lies outside of the tree; its packages are found in ours.
    await run(
      process.execPath,
      [join(root, 'scripts/build.mjs'), '--entry', join(home, 'entry.ts'), '--outdir', join(home, 'dist')],
      {
        env: { ...process.env, NODE_PATH: join(root, 'node_modules') },
      },
    );
  });

  it('runs the bundle with packages that need require and __dirname', async () => {
    expect((await launch('packages')).stdout).toBe('function');
  });

  it('ships the licences of everything in the bundle', async () => {
    const text = await readFile(join(home, 'dist/THIRD-PARTY.txt'), 'utf8');
    for (const name of ['ssh2', 'asn1', 'chalk', 'zod']) expect(text).toMatch(new RegExp(`^${name} \\d`, 'm'));
    expect(text).toContain('Permission is hereby granted');
  });

  it('ends in good order at the first Ctrl-C', async () => {
    expect(await interrupt('polite', 1)).toEqual({ code: 130, out: 'waiting\nstopped by SIGINT\n' });
  });

  it('ends at once at the second', async () => {
    expect(await interrupt('deaf', 2)).toEqual({ code: 130, out: 'waiting\nnot yet\n' });
  });

  it('does not complain when nobody reads on', async () => {
    const { stdout, stderr } = await run('bash', [
      '--norc',
      '-c',
      `"$0" "$1" flood | head -n 1; echo "\${PIPESTATUS[0]}"`,
      process.execPath,
      join(home, 'bin/ostk-doctor.js'),
    ]);
    expect(stdout).toBe('a line that nobody reads any more\n1\n');
    expect(stderr).toBe('');
  });
});
