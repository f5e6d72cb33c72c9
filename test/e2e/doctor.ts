import { spawn } from 'node:child_process';
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, inject } from 'vitest';
import type { Bundle } from '../../src/bundle/open.ts';
import { type DemoCloud, type DemoFaults, startDemoCloud } from '../../src/demo/server.ts';
import type { RunReport } from '../../src/engine/report.ts';
import { operatorHost } from '../../src/run/doors.ts';
import { healthy } from '../support/edit-bundle.ts';

export interface Ran {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly ms: number;
}

export interface RunOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** Called with all of stderr and stdout so far whenever there is more. */
  readonly onOutput?: (seen: string, signal: (name: NodeJS.Signals) => void) => void;
  /** Called when the process runs. */
  readonly onStart?: (signal: (name: NodeJS.Signals) => void) => void;
}

/** A machine of an operator who has never used OpenStack: an empty home, no variables, no ssh configuration. */
export interface Desk {
  readonly home: string;
  /** Runs `ostk-doctor` there. Whatever it does, it shows no stack, no secret and no control character. */
  run(args: readonly string[], options?: RunOptions): Promise<Ran>;
  /** Runs a command that goes on until it is told to stop. What it says is not looked at. */
  serve(args: readonly string[], onOutput: NonNullable<RunOptions['onOutput']>): Promise<Ran>;
  close(): Promise<void>;
}

/** Passwords, keys and tokens that no output may hold; Fernet tokens begin with `gAAAAA`. */
const tokens = /gAAAAA[\w-]{20,}/;

export async function sitDown(env: Readonly<Record<string, string>> = {}): Promise<Desk> {
  const home = await mkdtemp(join(tmpdir(), 'ostk-doctor-desk-'));
  const launcher = join(inject('installed'), 'bin/ostk-doctor.js');
  const base = {
    PATH: `${home}/bin:${process.env.PATH ?? ''}`,
    HOME: home,
    XDG_STATE_HOME: join(home, 'state'),
  };
  return {
    home,
    close: () => rm(home, { recursive: true, force: true }),
    serve: (args, onOutput) => spawned([launcher, ...args], { ...base, ...env }, home, { onOutput }),
    async run(args, options = {}) {
      const all: Record<string, string> = { ...base, ...env, ...options.env };
      const ran = await spawned([launcher, ...args], all, options.cwd ?? home, options);
      const shown = `${ran.stdout}\n${ran.stderr}`;
      expect(shown, 'no stack trace').not.toMatch(/^\s+at .+:\d+:\d+\)?$/m);
      expect(shown, 'no error of our own').not.toMatch(/^internal error:/m);
      expect(shown, 'no token').not.toMatch(tokens);
      const password = all.OS_PASSWORD;
      if (password !== undefined) expect(shown.includes(password), 'no password').toBe(false);
      expect(ran.stdout, 'no control characters').not.toMatch(controls);
      if (all.FORCE_COLOR === undefined) expect(ran.stderr, 'no control characters').not.toMatch(controls);
      return ran;
    },
  };
}

const controls = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/;

/** Longer than any test may take: nothing is left running. */
const mostMs = 60_000;

function spawned(argv: readonly string[], env: Record<string, string>, cwd: string, options: RunOptions): Promise<Ran> {
  const started = performance.now();
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, argv, {
      env,
      cwd,
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: mostMs,
      killSignal: 'SIGKILL',
    });
    let [stdout, stderr] = ['', ''];
    const signal = (name: NodeJS.Signals): void => {
      child.kill(name);
    };
    const more = () => options.onOutput?.(`${stdout}${stderr}`, signal);
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
      more();
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
      more();
    });
    child.on('error', reject);
    child.on('spawn', () => options.onStart?.(signal));
    child.on('close', (code) => resolve({ code, stdout, stderr, ms: performance.now() - started }));
  });
}

/** A served cloud, and the desk of an operator who may use it. */
export interface Site extends Desk {
  readonly demo: DemoCloud;
  /** `net web-1` (or what is said) as the report that `--output json` gives. */
  report(args?: readonly string[], options?: RunOptions): Promise<{ readonly ran: Ran; readonly report: RunReport }>;
}

export interface SiteOptions {
  readonly bundle?: Bundle;
  readonly faults?: DemoFaults;
  readonly env?: Readonly<Record<string, string>>;
}

/** Serves a cloud, gives it to `use`, and takes it away again whatever happens. */
export async function withSite<T>(options: SiteOptions, use: (site: Site) => Promise<T>): Promise<T> {
  const bundle = options.bundle ?? healthy;
  const demo = await startDemoCloud(bundle, options.faults === undefined ? {} : { faults: options.faults });
  const desk = await sitDown({ ...demo.env, ...demo.doctorEnv, ...options.env });
  try {
    await placePing(desk.home, bundle);
    const site: Site = {
      ...desk,
      demo,
      async report(args = ['net', 'web-1'], more = {}) {
        const ran = await desk.run([...args, '--output', 'json'], more);
        if (ran.stdout === '') throw new Error(`no report; stderr: ${ran.stderr}`);
        return { ran, report: JSON.parse(ran.stdout) as RunReport };
      },
    };
    return await use(site);
  } finally {
    await Promise.all([demo.close(), desk.close()]);
  }
}

export async function withDesk<T>(env: Readonly<Record<string, string>>, use: (desk: Desk) => Promise<T>): Promise<T> {
  const desk = await sitDown(env);
  try {
    return await use(desk);
  } finally {
    await desk.close();
  }
}

/**
 * The operator's own `ping`, which would send real packets to the addresses of the recorded cloud: here it says what it
 * said when the cloud was recorded.
 */
async function placePing(home: string, bundle: Bundle): Promise<void> {
  const cases = (bundle.hosts.get(operatorHost)?.commands ?? []).flatMap(({ argv, outcome }) =>
    argv[0] === 'ping' && outcome.ok
      ? [`${argv.at(-1)}) cat <<'END'\n${outcome.value.stdout}END\nexit ${outcome.value.code};;`]
      : [],
  );
  await mkdir(join(home, 'bin'));
  const file = join(home, 'bin/ping');
  const script = `#!/bin/sh\nfor last; do :; done\ncase $last in\n${cases.join('\n')}\nesac\necho "ping: connect: Network is unreachable" >&2\nexit 2\n`;
  await writeFile(file, script);
  await chmod(file, 0o755);
}

/** What a user error is: at most four lines on stderr, nothing on stdout, status 2. */
export function expectComplaint(ran: Ran, ...words: readonly (string | RegExp)[]): void {
  expect({ code: ran.code, stdout: ran.stdout }).toEqual({ code: 2, stdout: '' });
  expect(ran.stderr.trimEnd().split('\n').length, ran.stderr).toBeLessThanOrEqual(4);
  expect(ran.stderr).toMatch(/^error: /);
  for (const word of words) expect(ran.stderr).toMatch(word);
}

/** Every outcome of a check, by its id (the first subject's). */
export const outcomesOf = (report: RunReport) =>
  Object.fromEntries(
    report.steps.flatMap((step) => step.checks.map((check) => [check.id, check.outcome] as const)).reverse(),
  );

/** What could not be looked at, and why. */
export const failuresOf = (report: RunReport) => report.diagnosis.couldNotLook.map(({ failure }) => failure);

export const causesOf = (report: RunReport) => report.diagnosis.causes.map(({ finding }) => finding.code);
