import { chmod, mkdir, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { KEPT_RUNS, lastRun, listRuns, runsDirectory, saveRun } from '../../src/bundle/last-runs.ts';
import { openBundle } from '../../src/bundle/open.ts';
import { createRecorder } from '../../src/bundle/record.ts';
import { manifest } from './small-run.ts';

let state: string;
let runs: string;
beforeEach(async () => {
  state = await mkdtemp(join(tmpdir(), 'runs-test-'));
  runs = runsDirectory({ XDG_STATE_HOME: state });
});
afterEach(() => rm(state, { recursive: true }));

const at = (second: number, command = 'net') => ({
  ...manifest,
  command: [command, 'web-1'],
  startedAt: new Date(Date.UTC(2026, 10, 21, 0, 0, second)).toISOString(),
});

describe('the folder of runs', () => {
  it('follows XDG_STATE_HOME when that is absolute', () => {
    expect(runs).toBe(join(state, 'ostk-doctor', 'runs'));
    expect(runsDirectory({}, '/home/op')).toBe('/home/op/.local/state/ostk-doctor/runs');
    expect(runsDirectory({ XDG_STATE_HOME: 'relative' }, '/home/op')).toBe('/home/op/.local/state/ostk-doctor/runs');
  });

  it('keeps a run for replay, for its owner alone', async () => {
    const saved = await saveRun(runs, createRecorder(), at(1));
    if (!saved.ok) throw saved.error;
    expect((await stat(runs)).mode & 0o777).toBe(0o700);
    expect((await stat(saved.value)).mode & 0o777).toBe(0o600);
    const last = await lastRun(runs);
    expect(last).toEqual({
      ok: true,
      value: { file: saved.value, command: 'net', startedAt: '2026-11-21T00:00:01.000Z' },
    });
    expect(await openBundle(saved.value)).toMatchObject({ ok: true });
  });

  it('keeps the newest twenty and touches nothing else in the folder', async () => {
    await mkdir(runs, { recursive: true });
    await writeFile(join(runs, 'notes.txt'), 'mine');
    for (let second = 0; second < KEPT_RUNS + 3; second += 1) await saveRun(runs, createRecorder(), at(second));
    const listed = await listRuns(runs);
    expect(listed).toHaveLength(KEPT_RUNS);
    expect(listed[0]?.startedAt).toBe('2026-11-21T00:00:22.000Z');
    expect(listed.at(-1)?.startedAt).toBe('2026-11-21T00:00:03.000Z');
    expect(await readdir(runs)).toContain('notes.txt');
  });

  it('keeps two runs of one moment apart', async () => {
    await saveRun(runs, createRecorder(), at(1));
    await saveRun(runs, createRecorder(), at(1));
    const listed = await listRuns(runs);
    expect(listed.map((run) => run.file)).toHaveLength(2);
    expect(listed[0]?.file).toContain('~2');
  });

  it('makes no file name of what a command line holds', async () => {
    const saved = await saveRun(runs, createRecorder(), at(1, '../../x'));
    expect(saved.ok && saved.value).toBe(join(runs, '20261121T000001000Z-run.tgz'));
  });

  it('says when there is none, and when it cannot be written', async () => {
    expect(await lastRun(runs)).toMatchObject({ ok: false, error: { message: 'no run has been recorded yet' } });
    const blocked = join(state, 'file');
    await writeFile(blocked, '');
    await chmod(blocked, 0o400);
    expect(await saveRun(join(blocked, 'runs'), createRecorder(), at(1))).toMatchObject({
      ok: false,
      error: { message: expect.stringContaining('cannot keep a record') },
    });
  });
});
