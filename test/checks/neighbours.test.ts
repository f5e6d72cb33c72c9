import { describe, expect, it } from 'vitest';
import type { RunReport } from '../../src/engine/report.ts';
import { editingOutput, floating1, healthy } from '../support/edit-bundle.ts';
import { type Mate, pingOutput, withMates } from '../support/neighbours.ts';
import { bundleAt, findingsOf, reportOf } from '../support/replayed.ts';
import { silent } from './cases.ts';

const mate = (name: string, host: string, received: number, more: Partial<Mate> = {}): Mate => ({
  name,
  host,
  address: `10.0.0.3${name.slice(-1)}`,
  qdhcp: received,
  qrouter: received,
  ...more,
});

const sick = (...mates: Mate[]): Promise<RunReport> => reportOf(withMates(silent(healthy), mates));

const told = (report: RunReport, code: string) => {
  const found = findingsOf(report).find((f) => f.code === code);
  if (found === undefined) throw new Error(`no ${code}`);
  return found;
};

describe('the neighbours of a silent instance', () => {
  it('are not asked on a healthy run', async () => {
    const report = await reportOf(withMates(healthy, [mate('web-2', 'cmp1', 5)]));
    expect(report.matrices).toEqual([]);
    const check = report.steps.flatMap((s) => s.checks).find((c) => c.id === 'path.neighbours');
    expect(check?.outcome).toEqual({ status: 'skipped', reason: 'every ping was answered' });
  });

  it('are not asked when the silence is what the security groups want', async () => {
    const report = await reportOf(await bundleAt('demo/security-group.tgz'));
    expect(report.matrices).toEqual([]);
  });

  it('are not asked when this machine does not reach the outside at all', async () => {
    const cutOff = [floating1.floating_ip_address as string, '198.19.0.1'].reduce(
      (bundle, to) => editingOutput(bundle, 'operator', to, () => pingOutput(to, 0), 1),
      withMates(healthy, [mate('web-2', 'cmp1', 5)]),
    );
    expect((await reportOf(cutOff)).matrices).toEqual([]);
  });

  it('make a matrix: who was asked from where, and what came back', async () => {
    const { matrices } = await sick(mate('web-2', 'cmp1', 5), mate('db-3', 'cmp2', 0));
    const [matrix] = matrices;
    expect(matrix?.sources.map((s) => `${s.kind} ${s.host}`)).toEqual(['qdhcp net1', 'qrouter net1', 'operator here']);
    const states = matrix?.rows.map((r) => [r.kind, r.name, r.cells.map((c) => c.state)]);
    expect(states).toContainEqual(['this-instance', 'web-1', ['lost', 'lost', 'not-asked']]);
    expect(states).toContainEqual(['same-host', 'web-2', ['ok', 'ok', 'not-asked']]);
    expect(states).toContainEqual(['other-host', 'db-3', ['lost', 'lost', 'not-asked']]);
    expect(states).toContainEqual(['router-inside', 'r1', ['ok', 'not-asked', 'not-asked']]);
    for (const row of matrix?.rows ?? []) {
      for (const cell of row.cells) {
        if (cell.state === 'not-asked') expect(cell.because).not.toBe('');
        else expect(cell.evidence.source.kind).toBe('command');
      }
    }
  });

  it('that answer on the same host rule the host and the sender out', async () => {
    const report = await sick(mate('web-2', 'cmp1', 5), mate('db-3', 'cmp2', 5));
    expect(told(report, 'OSD-PATH-003').confidence).toBe('likely');
    expect(report.diagnosis.ruledOut).toContain('host cmp1 as a whole');
    expect(report.diagnosis.ruledOut).toContain('sending from qdhcp and r1 on net1');
  });

  it('that disagree lower the confidence, and one answer still proves the host', async () => {
    const report = await sick(mate('web-2', 'cmp1', 5), mate('web-4', 'cmp1', 0));
    expect(told(report, 'OSD-PATH-003').confidence).toBe('possible');
    expect(report.diagnosis.ruledOut).toContain('host cmp1 as a whole');
  });

  it('of which one alone is silent on the host make it possible that it is the host, two make it likely', async () => {
    const one = await sick(mate('web-2', 'cmp1', 0), mate('db-3', 'cmp2', 5));
    expect(told(one, 'OSD-PATH-004').confidence).toBe('possible');
    const two = await sick(mate('web-2', 'cmp1', 0), mate('web-4', 'cmp1', 0), mate('db-3', 'cmp2', 5));
    expect(told(two, 'OSD-PATH-004').confidence).toBe('likely');
    expect(two.diagnosis.ruledOut).toContain('network node net1');
  });

  it('that are off are not asked', async () => {
    const report = await sick(mate('web-2', 'cmp1', 0, { status: 'SHUTOFF' }), mate('db-3', 'cmp2', 5));
    expect(report.matrices[0]?.rows.map((r) => r.name)).not.toContain('web-2');
    expect(told(report, 'OSD-PATH-003').summary).toContain('no neighbour on cmp1 could be asked');
  });

  it('fold under what the counters tell, and under a cause', async () => {
    const report = await sick(mate('web-2', 'cmp1', 5));
    const [first, ...others] = report.diagnosis.causes;
    expect(first?.finding.code).toBe('OSD-PATH-002');
    expect(first?.finding.confidence).toBe('likely');
    expect(first?.explains.map((f) => f.code)).toContain('OSD-PATH-003');
    expect(others).toEqual([]);
  });

  it('that cannot be had leave the verdict as it was', async () => {
    const report = await reportOf(silent(healthy));
    expect(report.diagnosis.causes.map((c) => c.finding.code)).toEqual(['OSD-PATH-002']);
    expect(report.diagnosis.couldNotLook).toEqual([]);
  });
});
