import { describe, expect, it } from 'vitest';
import type { RunReport } from '../../src/engine/report.ts';
import { loadPlaybook } from '../../src/run/playbooks.ts';
import { editingServer } from '../support/edit-bundle.ts';
import { askedOf, bundleAt, reportOf } from '../support/replayed.ts';
import { taken, tracedOvs, tracedPoints } from '../support/traced.ts';

const stepsOf = (report: RunReport): string[] => report.steps.map((s) => s.id);

/** What is asked of a node for the trace itself: where the packets are, and its switch for the points. */
const own = ['tcpdump', 'ping', 'date', 'ip', 'ovs-vsctl'];

describe('the walk of a trace', () => {
  it('follows packets first, and asks why only where some were lost', async () => {
    const [first, ...rest] = (await loadPlaybook('trace')).steps;
    expect(first).toMatchObject({ id: 'trace', checks: ['trace.followed'] });
    expect(first?.onlyLost).not.toBe(true);
    expect(rest.length).toBeGreaterThan(10);
    for (const step of rest)
      expect([step.id, step.onlyLost ?? step.onlySilent ?? step.onlyWith !== undefined]).toEqual([step.id, true]);
  });

  it('is over where nothing was lost: no other step is shown, counted or asked for', async () => {
    const report = await reportOf(tracedOvs);
    expect(stepsOf(report)).toEqual(['trace']);
    expect(report.counts).toEqual({ ok: 1, problem: 0, skipped: 0, blocked: 0, unknown: 0 });
    for (const host of ['net1', 'cmp1']) {
      const asked = await askedOf(tracedOvs, host);
      expect(asked.length).toBeGreaterThan(0);
      expect(asked.filter(({ argv }) => !own.includes(argv[0])).map(({ argv }) => argv.join(' '))).toEqual([]);
    }
  });

  it('goes on where packets were lost, by order or not', async () => {
    const bundles = [
      taken('there', tracedPoints.length - 1),
      await bundleAt('demo/trace-stopped.tgz'),
      await bundleAt('test/fixtures/bundles/trace-ordered.tgz'),
    ];
    for (const bundle of bundles) {
      expect(stepsOf(await reportOf(bundle))).toEqual(expect.arrayContaining(['trace', 'secgroup', 'host', 'ping']));
    }
  });

  it('to an instance that is off says that it is off', async () => {
    const off = editingServer(taken('there', tracedPoints.length - 1), (server) => {
      server.status = 'SHUTOFF';
      server['OS-EXT-STS:power_state'] = 4;
    });
    const report = await reportOf(off);
    const [trace] = report.steps.flatMap((s) => s.checks).filter((c) => c.id === 'trace.followed');
    expect(trace?.outcome.status).toBe('skipped');
    expect(report.diagnosis.causes[0]?.finding.code).toBe('OSD-VM-001');
    expect(report.exitCode).toBe(1);
  });
});
