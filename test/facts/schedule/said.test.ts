import { execFileSync, spawn } from 'node:child_process';
import { appendFileSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { failedBuild, lastError, linesAbout, outcomeOf, schedulerSaid } from '../../../src/facts/schedule/said.ts';
import { caseOf } from './recorded-case.ts';

const log = (name: string): string =>
  readFileSync(fileURLToPath(new URL(`../../fixtures/schedule/${name}`, import.meta.url)), 'utf8');

describe('what Nova logged of a request', () => {
  it('that Placement had no candidate for', async () => {
    const { facts, subject } = caseOf('ram');
    const said = await facts.get(schedulerSaid, subject);
    expect(said).toMatchObject({ ok: true, value: { value: [{ kind: 'no-candidates', host: 'ctl', filters: [] }] } });
    if (said.ok) expect(said.value.value[0]?.line).toContain('Got no allocation candidates from the Placement API');
    if (said.ok) expect(said.value.evidence[0]?.source).toMatchObject({ kind: 'command', host: 'ctl' });
  });

  it('that a filter left no host', async () => {
    const { facts, subject } = caseOf('dead');
    const said = await facts.get(schedulerSaid, subject);
    expect(said).toMatchObject({
      ok: true,
      value: { value: [{ kind: 'filtered', host: 'ctl', filters: [{ name: 'ComputeFilter', start: 2, end: 0 }] }] },
    });
  });

  it('is not asked for of an instance that is well', async () => {
    const { facts, subject, asked } = caseOf('ram');
    const well = { ...subject, server: { ...subject.server, value: { ...subject.server.value, status: 'ACTIVE' } } };
    expect(await facts.get(schedulerSaid, well)).toMatchObject({ ok: true, value: { value: [] } });
    expect(asked.commands).toEqual([]);
  });

  it('is not known where no node lets us in', async () => {
    const { facts, subject } = caseOf('ram', { withoutNodes: true });
    expect(await facts.get(schedulerSaid, subject)).toMatchObject({ ok: false, error: { kind: 'unreachable' } });
  });

  it('names the filters by their steps where the sum is cut', () => {
    const lines = log('dead/nova-scheduler.log')
      .split('\n')
      .filter((line) => !line.includes('INFO nova.filters') || line.includes('returned'))
      .map((line) => line.replace(/Filter results.*/, ''));
    expect(outcomeOf('ctl', lines)).toMatchObject({
      kind: 'filtered',
      filters: [{ name: 'ComputeFilter', start: 2, end: 0 }],
    });
  });

  it('of a request that was asked twice is the last', () => {
    const lines = [...log('ram/nova-scheduler.log').split('\n'), ...log('dead/nova-scheduler.log').split('\n')];
    expect(outcomeOf('ctl', lines)?.kind).toBe('filtered');
    expect(outcomeOf('ctl', ['nothing of note'])).toBeUndefined();
  });
});

const id = '04f90bb7-ae87-444a-b612-dae1982db832';
const head = (level: string, logger: string) => `2026-11-21 12:38:05.120 77 ${level} ${logger} `;

describe('the log of a service', () => {
  const id = '7b0f5d1e-1111-4222-8333-0123456789ab';
  const line = `2026-11-21 12:00:00.123 7 INFO nova.filters [req-1] Filtering removed all hosts for ${id}`;
  const program = 'ostk-doctor-no-such-service';
  const read = (...files: readonly string[]): string =>
    execFileSync('sh', ['-c', linesAbout, id, program, ...files], { encoding: 'utf8' });

  it('is found by what its process keeps open, whatever its name, and read once', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'said-'));
    const unusual = join(folder, 'placements of today.txt');
    writeFileSync(unusual, `${line}\nanother line\n`);
    writeFileSync(join(folder, 'not-a-log'), line);
    const running = spawn('bash', ['-c', `exec -a ${program} sleep 60`], {
      stdio: ['ignore', openSync(unusual, 'a'), openSync(join(folder, 'not-a-log'), 'r')],
    });
    try {
      let found = '';
      // Its name is there once bash has given way to it.
      for (const end = Date.now() + 5000; Date.now() < end && !found.includes(unusual); ) found = read(unusual);
      expect(found).toBe(`@${unusual}\n${line}\n`);
      expect(read()).toBe(`@/proc/${running.pid}/root${unusual}\n${line}\n`);
      appendFileSync(unusual, `${line.replace('removed', 'removed again')}\n`);
      expect(read()).toBe(`@/proc/${running.pid}/root${unusual}\n${line}\n`);
    } finally {
      running.kill();
      rmSync(folder, { recursive: true });
    }
  });

  it('is looked for in the journal where there is no file', () => {
    expect(read('/no/such/file.log')).toMatch(/^@journal/);
  });
});

describe('the last error of a nova-compute', () => {
  const context = '[None req-fa55352c-a6aa-4d7d-83e4-b2f64bc10f2c u p - - default default] ';
  it('is the exception behind the words, not the epilogue', () => {
    const at = head('ERROR', 'nova.compute.manager');
    const text = [
      `${at}${context}[instance: ${id}] Instance failed to spawn: libvirt.libvirtError: internal error: no memory`,
      `${at}[instance: ${id}] Traceback (most recent call last):`,
      `${at}[instance: ${id}]   File "/usr/lib/python3/dist-packages/nova/compute/manager.py", line 2800, in _build_resources`,
      `${at}[instance: ${id}]     yield resources`,
      `${at}[instance: ${id}] libvirt.libvirtError: internal error: no memory`,
      `${head('WARNING', 'nova.compute.manager')}${context}[instance: ${id}] Build of instance was re-scheduled`,
    ].join('\n');
    expect(lastError(text)).toBe(
      '2026-11-21 12:38:05.120 nova.compute.manager Instance failed to spawn: libvirt.libvirtError: internal error: no memory',
    );
  });

  it('is said once where the exception says the same as the words before it', async () => {
    const { facts, subject } = caseOf('late-image');
    const said = await facts.get(schedulerSaid, subject);
    if (!said.ok) throw new Error(JSON.stringify(said.error));
    expect(said.value.value).toHaveLength(1);
    expect(said.value.value[0]).toMatchObject({ kind: 'late', host: 'cmp1' });
    expect(said.value.value[0]?.line).toMatch(
      /nova\.compute\.manager Build of instance \S+ aborted: Image \S+ is unacceptable: Image not in a supported format$/,
    );
  });

  it('is found on every host that was tried', async () => {
    const { facts, subject } = caseOf('late-architecture');
    const said = await facts.get(schedulerSaid, subject);
    if (!said.ok) throw new Error(JSON.stringify(said.error));
    expect(said.value.value.map((s) => [s.kind, s.host])).toEqual([
      ['retries', 'ctl'],
      ['late', 'cmp1'],
      ['late', 'cmp2'],
    ]);
    expect(said.value.value[1]?.line).toMatch(
      /Failed to build and run instance: nova\.exception\.UEFINotSupported: UEFI is not supported$/,
    );
  });

  it('is a plain error where there is no exception, and nothing where there is no error', () => {
    const plain = `${head('ERROR', 'nova.compute.manager')}${context}[instance: ${id}] Build of instance aborted: no port`;
    expect(lastError(plain)).toContain('Build of instance aborted: no port');
    expect(lastError(`${head('WARNING', 'nova.compute.manager')}${context}hm`)).toBeUndefined();
  });
});

describe('a host on which a build failed', () => {
  it('is told by the conductor, with the reason at the end of the traceback', () => {
    const line =
      "2026-11-21 12:38:07.200 1766 ERROR nova.scheduler.utils [None req-fa55352c-a6aa-4d7d-83e4-b2f64bc10f2c u p - - default default] [instance: 04f90bb7-ae87-444a-b612-dae1982db832] Error from last host: sched-c2 (node sched-c2): ['Traceback (most recent call last):\\n', 'nova.exception.RescheduledException: Build of instance 04f90bb7-ae87-444a-b612-dae1982db832 was re-scheduled: Binding failed for port 1f2c3b80-7654-49d9-a998-b375ab98aff8, please check neutron logs for more information.\\n']";
    expect(failedBuild(line)).toEqual({
      host: 'sched-c2',
      line: '2026-11-21 12:38:07.200 build on sched-c2 failed: Binding failed for port 1f2c3b80-7654-49d9-a998-b375ab98aff8, please check neutron logs for more information.',
    });
    expect(failedBuild(line.slice(0, 330))?.host).toBe('sched-c2');
    expect(failedBuild('Setting instance to ERROR state.')).toBeUndefined();
  });
});
