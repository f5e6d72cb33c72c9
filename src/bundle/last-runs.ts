import { chmod, mkdir, readdir, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { UserError } from '../engine/error.ts';
import { err, ok, type Result } from '../engine/result.ts';
import type { RunManifest } from './format.ts';
import type { Recorder } from './record.ts';

/** How many runs stay on disk. */
export const KEPT_RUNS = 20;

/** Names sort by time: `20261121T024600123Z-net.tgz`. */
const RUN_FILE = /^\d{8}T\d{9}Z-[a-z][a-z-]{0,31}(?:~\d+)?\.tgz$/;

export interface SavedRun {
  readonly file: string;
  /** Verb of the doctor that made it. */
  readonly command: string;
  /** ISO 8601. */
  readonly startedAt: string;
}

/** `$XDG_STATE_HOME/ostk-doctor/runs`; a relative value is ignored, as the XDG Base Directory Specification demands. */
export function runsDirectory(
  env: Readonly<Record<string, string | undefined>> = process.env,
  home = homedir(),
): string {
  const state = env.XDG_STATE_HOME;
  return join(state && isAbsolute(state) ? state : join(home, '.local', 'state'), 'ostk-doctor', 'runs');
}

/**
 * Writes a run beside its predecessors and removes all but the newest. The folder is 0700, the files 0600.
 * Fails as a value when the folder cannot be written: a run is worth more than its record.
 */
export async function saveRun(
  directory: string,
  recorder: Recorder,
  manifest: RunManifest,
): Promise<Result<string, UserError>> {
  try {
    await mkdir(directory, { recursive: true, mode: 0o700 });
    await chmod(directory, 0o700);
    const file = join(directory, nameOf(manifest, new Set(await readdir(directory))));
    const written = await recorder.write(file, manifest);
    if (!written.ok) return written;
    for (const old of (await runFiles(directory)).slice(KEPT_RUNS)) await rm(join(directory, old), { force: true });
    return ok(file);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return err(
      new UserError(`cannot keep a record of this run in ${directory}`, {
        why,
        hint: 'set XDG_STATE_HOME to a folder you may write',
      }),
    );
  }
}

/** All runs on disk, newest first. No folder, no runs. */
export async function listRuns(directory: string): Promise<SavedRun[]> {
  return (await runFiles(directory)).map((name) => {
    const [, year, month, day, hour, minute, second, ms, command] =
      /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)(\d{3})Z-([a-z-]+)/.exec(name) ?? [];
    return {
      file: join(directory, name),
      command: command ?? '',
      startedAt: `${year}-${month}-${day}T${hour}:${minute}:${second}.${ms}Z`,
    };
  });
}

/** The newest run, for `replay --last`. */
export async function lastRun(directory: string): Promise<Result<SavedRun, UserError>> {
  const [newest] = await listRuns(directory);
  if (newest) return ok(newest);
  return err(
    new UserError('no run has been recorded yet', { where: directory, hint: 'run `ostk-doctor net VM` first' }),
  );
}

function nameOf(manifest: RunManifest, taken: ReadonlySet<string>): string {
  const time = new Date(manifest.startedAt).toISOString().replace(/[-:.]/g, '');
  const verb = /^[a-z][a-z-]{0,31}$/.test(manifest.command[0] ?? '') ? manifest.command[0] : 'run';
  let name = `${time}-${verb}.tgz`;
  for (let n = 2; taken.has(name); n += 1) name = `${time}-${verb}~${n}.tgz`;
  return name;
}

async function runFiles(directory: string): Promise<string[]> {
  let names: string[];
  try {
    names = await readdir(directory);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
    throw error;
  }
  // `~2` sorts after the name without it
  const order = (name: string): string => name.replace(/\.tgz$/, '');
  return names.filter((name) => RUN_FILE.test(name)).sort((a, b) => (order(a) < order(b) ? 1 : -1));
}
