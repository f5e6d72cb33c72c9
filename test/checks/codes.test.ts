import { describe, expect, it } from 'vitest';
import { specsByCode } from '../../src/checks/registry.ts';
import { healthy, web1 } from '../support/edit-bundle.ts';
import { bundleAt, findingsOf, reportOf } from '../support/replayed.ts';
import { cases } from './cases.ts';
import { chassisCases } from './cases-ovn-chassis.ts';
import { ovnOrderedCases } from './cases-ovn-ordered.ts';
import { ovnPacketCases } from './cases-ovn-packets.ts';
import { scheduleCases } from './cases-schedule.ts';

const ovnHealthy = await bundleAt('demo/ovn-healthy.tgz');

describe('each code', () => {
  it.each([...cases, ...chassisCases, ...ovnOrderedCases, ...ovnPacketCases])(
    '$code: $says',
    async ({ code, names, bundle, options }) => {
      const found = findingsOf(await reportOf(bundle(), options)).filter((f) => f.code === code);
      expect(found.length).toBeGreaterThan(0);
      const told = found.map((f) => `${f.subject} ${f.summary}`).join('\n');
      expect(told).toContain(names);
      for (const f of found) {
        expect(f.evidence.every((e) => e.excerpt.trim() !== '')).toBe(true);
        expect(f.nature).toBe(specsByCode.get(code)?.nature);
        for (const r of f.remedies) expect(r.steps.length).toBeGreaterThan(0);
        if (f.nature === 'cause' && f.severity === 'error') expect(f.remedies.length).toBeGreaterThan(0);
      }
    },
  );

  it('is silent on the healthy cloud', async () => {
    const report = await reportOf(healthy);
    expect(findingsOf(report).map((f) => f.code)).toEqual([]);
    expect(web1.name).toBe('web-1');
  });

  it('is silent on a healthy cloud with OVN', async () => {
    expect(findingsOf(await reportOf(ovnHealthy)).map((f) => f.code)).toEqual([]);
  });

  it('fires in a test, or is one of those that only another cloud can show', () => {
    // Ten seconds of silence, a queue that is gone while the agent is dead, and Cinder are no part of this recording.
    // So are configurations of the scheduler, and what only an instance shows that Nova tried to place.
    const unasked = ['OSD-SCHED-003', 'OSD-SCHED-012', 'OSD-SCHED-013', 'OSD-SCHED-015'];
    const elsewhere = ['OSD-CLOUD-002', 'OSD-LOG-002', 'OSD-VM-009', ...unasked];
    const onOvs = [
      'OSD-L2-001',
      'OSD-L2-002',
      'OSD-L2-003',
      'OSD-L2-004',
      'OSD-TUNNEL-001',
      'OSD-TUNNEL-003',
      'OSD-TUNNEL-004',
      'OSD-TUNNEL-006',
    ];
    const fired = new Set(
      [...cases, ...chassisCases, ...ovnOrderedCases, ...ovnPacketCases, ...scheduleCases]
        .map((c) => c.code)
        .concat(onOvs),
    );
    expect([...specsByCode.keys()].filter((code) => !fired.has(code) && !elsewhere.includes(code))).toEqual([]);
  });
});
