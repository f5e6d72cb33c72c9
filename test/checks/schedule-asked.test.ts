import { tmpdir } from 'node:os';
import { describe, expect, it } from 'vitest';
import { specsByCode } from '../../src/checks/registry.ts';
import { scheduleCommand } from '../../src/commands/schedule.ts';
import { runOptionsOf } from '../../src/commands/walk-options.ts';
import { frozenClock } from '../../src/engine/clock.ts';
import type { RunReport } from '../../src/engine/report.ts';
import { err } from '../../src/engine/result.ts';
import type { WishOption } from '../../src/facts/io.ts';
import { openLive } from '../../src/run/doors.ts';
import { loadPlaybook } from '../../src/run/playbooks.ts';
import { walk } from '../../src/run/walk.ts';
import { type SyntheticCloud, withSynthetic } from '../support/synthetic-cloud.ts';
import { cloudOf, scheduleCases, wishOf } from './cases-schedule.ts';

/** The whole walk of a question, over real HTTP, on a cloud whose nodes cannot be reached. */
const reportOf = (cloud: SyntheticCloud, wish: WishOption): Promise<RunReport> =>
  withSynthetic(cloud, async (env) => {
    const { steps = [], options } = scheduleCommand(undefined, { flavor: wish.flavor ?? '' });
    const door = openLive({
      choice: {},
      options: runOptionsOf({ ...options, wish }),
      ssh: {},
      hosts: {},
      env: { ...env, HOME: tmpdir() },
      cwd: tmpdir(),
      clock: frozenClock('2026-11-21T12:00:00Z'),
      transportFor: (host) => ({
        kind: 'ssh2',
        host,
        runBatch: async () =>
          err({ kind: 'unreachable', host, stage: 'tcp', detail: 'there is no such node', fix: 'none' }),
        close: async () => {},
      }),
    });
    try {
      return await walk(
        door,
        await loadPlaybook('schedule'),
        { command: 'schedule', allowPort: false, failOn: 'error', version: '0', steps: new Set(steps) },
        () => {},
      );
    } finally {
      await door.close();
    }
  });

describe('a request that no host takes', () => {
  it.each(scheduleCases)('$code stands first, and alone: $says', async (c) => {
    const report = await reportOf(cloudOf(c), wishOf(c));
    const [first, ...others] = report.diagnosis.causes;
    expect(`${first?.finding.code} ${first?.finding.summary}`).toContain(c.code);
    expect(`${first?.finding.subject} ${first?.finding.summary}`).toContain(c.names);
    expect(others).toEqual([]);
    expect(report.exitCode).toBe(1);
    expect(report.schedule?.verdict).toBe('no-host');
    expect(first?.finding.remedies.length).toBeGreaterThan(0);
    for (const remedy of first?.finding.remedies ?? []) expect(remedy.steps.length).toBeGreaterThan(0);
    expect(first?.finding.evidence.every((e) => e.excerpt.trim() !== '')).toBe(true);
  });

  it('is told by every code, or by one of those that only an instance or a configuration can show', () => {
    // Tenant isolation, a cell that is down, a build that failed, a filter by its log.
    const elsewhere = ['OSD-SCHED-003', 'OSD-SCHED-012', 'OSD-SCHED-013', 'OSD-SCHED-015'];
    const codes = [...specsByCode.keys()].filter((code) => code.startsWith('OSD-SCHED-'));
    expect(codes.filter((code) => !scheduleCases.some((c) => c.code === code))).toEqual(elsewhere);
  });
});

describe('a request that fits', () => {
  it('names no cause, and its hosts', async () => {
    const report = await reportOf(cloudOf({ cloud: {} }), wishOf({ wish: {} }));
    expect(report.diagnosis.causes).toEqual([]);
    expect(report.schedule?.verdict).toBe('fits');
    expect(report.exitCode).toBe(0);
  });
});
