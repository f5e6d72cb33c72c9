import { describe, expect, it } from 'vitest';
import { allAnswered } from '../../src/facts/second-look.ts';
import { editing, healthy } from '../support/edit-bundle.ts';
import { reportOf } from '../support/replayed.ts';
import { silent } from './cases.ts';

// biome-ignore lint/suspicious/noExplicitAny: bodies of any API, edited by hand
type Body = any;

const withoutIcmp = (bundle: typeof healthy) =>
  editing(bundle, '/security-groups', (body) => {
    for (const group of body.security_groups)
      group.security_group_rules = group.security_group_rules.filter((r: Body) => r.protocol !== 'icmp');
  });

const lookedTwice = async (bundle: typeof healthy) => {
  const report = await reportOf(bundle);
  const counted = report.steps.flatMap((s) => s.checks).find((c) => c.id === 'path.counted');
  return { report, counted };
};

describe('an instance that answers no ping because its security groups let none in', () => {
  it('is not searched for what takes the pings', async () => {
    const { report, counted } = await lookedTwice(withoutIcmp(silent(healthy)));
    expect(counted?.outcome).toMatchObject({ status: 'skipped', reason: allAnswered });
    expect(report.diagnosis.causes.map((c) => c.finding.code)).not.toContain('OSD-PATH-006');
    expect(report.diagnosis.causes.map((c) => c.finding.code)).not.toContain('OSD-PATH-002');
  });

  it('is searched when they do let pings in', async () => {
    const { counted } = await lookedTwice(silent(healthy));
    expect(counted?.outcome).not.toMatchObject({ reason: allAnswered });
  });
});
