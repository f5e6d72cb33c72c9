import { readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { renderJson } from '../../src/report/json.ts';
import { bundleAt, reportOf } from '../support/replayed.ts';

const folder = new URL('../../demo/', import.meta.url);

const replayed = async (name: string) => reportOf(await bundleAt(`demo/${name}.tgz`));

/** What was broken when each scenario was recorded on the lab: the first cause, and the words that must name the thing. */
const broken: Readonly<Record<string, readonly [code: string, names: string]>> = {
  'dnsmasq-dead': ['OSD-DHCP-003', 'net1'],
  'hand-made-rule': ['OSD-HOST-014', 'FORWARD'],
  'ovn-acl-missing': ['OSD-SG-003', '608a92c3'],
  'ovn-geneve-lost': ['OSD-OVN-019', 'cmp1 ⇄ net1'],
  'ovn-hand-made-flow': ['OSD-OVN-061', 'br-int table=65'],
  'ovn-northd-stopped': ['OSD-OVN-007', 'ovn-northd@ctl'],
  'schedule-no-ram': ['OSD-SCHED-001', '40000'],
  'security-group': ['OSD-SG-001', 'web'],
  'vxlan-blocked': ['OSD-TUNNEL-001', 'cmp1'],
  'trace-stopped': ['OSD-HOST-014', 'FORWARD'],
  'wrong-secret': ['OSD-META-003', 'net1'],
};

describe('a recorded scenario', () => {
  it('is known to this test, so that none is shipped without its cause', () => {
    const shipped = readdirSync(folder).map((file) => file.replace('.tgz', ''));
    expect(shipped.sort()).toEqual([...Object.keys(broken), 'healthy', 'ovn-healthy', 'trace-healthy'].sort());
  });

  it.each(Object.entries(broken))('%s: names the first cause and nothing beside it', async (name, [code, names]) => {
    const report = await replayed(name);
    const [first, ...others] = report.diagnosis.causes;
    expect(first?.finding.code).toBe(code);
    expect(`${first?.finding.subject} ${first?.finding.summary}`).toContain(names);
    expect(first?.finding.evidence.every((e) => e.excerpt !== '')).toBe(true);
    expect(first?.finding.remedies.length).toBeGreaterThan(0);
    expect(others).toEqual([]);
    expect(report.exitCode).toBe(1);
  });

  it.each(['healthy', 'ovn-healthy'])('%s: finds nothing, looks at everything', async (name) => {
    const report = await replayed(name);
    expect(report.diagnosis.causes).toEqual([]);
    expect(report.diagnosis.remarks).toEqual([]);
    expect(report.counts).toMatchObject({ problem: 0, blocked: 0, unknown: 0 });
    expect(report.exitCode).toBe(0);
  });

  it('gives the same bytes each time it is replayed', async () => {
    const [once, again] = [await replayed('hand-made-rule'), await replayed('hand-made-rule')];
    expect(renderJson(again)).toBe(renderJson(once));
  });
});
