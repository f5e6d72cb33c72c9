import { describe, expect, it } from 'vitest';
import type { Evidence } from '../../src/engine/evidence.ts';
import type { RunReport } from '../../src/engine/report.ts';
import { healthy } from '../support/edit-bundle.ts';
import { bundleAt, findingsOf, reportOf } from '../support/replayed.ts';
import { cases } from './cases.ts';

/** A stranger can ask the same again: the command with its host, or the request. */
function repeatable({ source }: Evidence): boolean {
  switch (source.kind) {
    case 'command':
      return source.host !== '' && source.argv.length > 0 && source.argv.every((word) => word !== '');
    case 'api':
      return source.method !== '' && source.path.startsWith('/');
    case 'derived':
      return /^(GET|HEAD) https?:/.test(source.from);
  }
}

const shown = (e: Evidence): boolean => e.excerpt.trim() !== '';

function expectHonest(report: RunReport): void {
  for (const f of findingsOf(report)) {
    expect(
      f.evidence.filter((e) => repeatable(e) && shown(e)),
      `${f.code}: ${f.summary}`,
    ).not.toEqual([]);
  }
  const { causes, ruledOut, exclusions } = report.diagnosis;
  for (const { finding } of causes) expect(['certain', 'likely', 'possible']).toContain(finding.confidence);
  expect(exclusions.map((e) => e.what)).toEqual(ruledOut);
  for (const { what, evidence } of exclusions) {
    expect(
      evidence.filter((e) => repeatable(e) && shown(e)),
      `ruled out: ${what}`,
    ).not.toEqual([]);
  }
}

const recorded = [
  'demo/dnsmasq-dead.tgz',
  'demo/hand-made-rule.tgz',
  'demo/security-group.tgz',
  'demo/vxlan-blocked.tgz',
  'demo/wrong-secret.tgz',
  'test/fixtures/bundles/ovs-healthy.tgz',
  'test/fixtures/bundles/ovs-tunnel-lost.tgz',
  'test/fixtures/bundles/ovs-underlay-mtu.tgz',
  'demo/ovn-healthy.tgz',
  'demo/ovn-acl-missing.tgz',
  'demo/ovn-geneve-lost.tgz',
  'demo/ovn-hand-made-flow.tgz',
  'demo/ovn-northd-stopped.tgz',
  'test/fixtures/bundles/ovn-acl-added.tgz',
  'test/fixtures/bundles/ovn-chassis-name.tgz',
  'test/fixtures/bundles/ovn-dhcp-options.tgz',
  'test/fixtures/bundles/ovn-flow-deleted.tgz',
  'test/fixtures/bundles/ovn-gateway.tgz',
  'test/fixtures/bundles/ovn-metadata-secret.tgz',
  'test/fixtures/bundles/ovn-nat.tgz',
  'test/fixtures/bundles/ovn-static-mac-binding.tgz',
  'test/fixtures/bundles/ovn-trace-stopped.tgz',
];

describe('nothing is said that a stranger cannot check again', () => {
  it.each(recorded)('in %s', async (path) => {
    expectHonest(await reportOf(await bundleAt(path)));
  });

  it.each(cases)('where $says', async ({ bundle, options }) => {
    expectHonest(await reportOf(bundle(), options));
  });

  it('and a healthy cloud rules out a lot', async () => {
    const report = await reportOf(healthy);
    expectHonest(report);
    expect(report.diagnosis.exclusions.length).toBeGreaterThan(15);
  });

  it('and what could not be judged is not ruled out', async () => {
    const report = await reportOf(await bundleAt('demo/security-group.tgz'));
    expect(report.diagnosis.ruledOut).not.toContain('network path from the DHCP host');
    expect(report.diagnosis.ruledOut).not.toContain('floating address');
  });
});
