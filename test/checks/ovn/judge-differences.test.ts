import { describe, expect, it } from 'vitest';
import { findingsOf, ovnStep, remedyOf } from '../../../src/checks/ovn/judge-differences.ts';
import { err } from '../../../src/engine/result.ts';
import type { OvnDatabases } from '../../../src/facts/ovn/databases.ts';
import type { Difference } from '../../../src/path/ovn/difference.ts';
import { seen, subject, told } from './stub.ts';

const lost = err({ kind: 'unsupported', because: 'not asked' } as const);
const reached = told<OvnDatabases>({
  nb: { ok: true, value: { host: 'ctl', within: ['docker', 'exec', 'ovn_nb_db'], options: [] } },
  sb: lost,
  missed: { nb: [], sb: [] },
  southByNeutron: undefined,
});
const rows = seen('ctl', 'ovn-nbctl', 'find', 'NAT');
const difference: Difference = {
  kind: 'nat-missing',
  layer: 'northbound',
  table: 'NAT',
  object: 'NAT 198.19.0.189 of router r1',
  summary: 'The Northbound has no NAT row',
  ordered: 'dnat_and_snat',
  found: '(none)',
  mends: [{ by: 'ovn-nbctl', title: 'make it again', argv: ['lr-nat-add', 'r1'] }],
  router: 'r1',
};

describe('a difference between layers', () => {
  it('is a finding with the look that shows the table, what was found and what was ordered', () => {
    const [finding] = findingsOf(
      subject,
      [difference],
      [seen('ctl', 'ovn-nbctl', 'find', 'ACL'), rows],
      reached,
      'net',
    );
    expect(finding?.code).toBe('OSD-OVN-047');
    expect(finding?.evidence[0]?.source).toEqual(rows.source);
    expect(finding?.evidence[0]?.excerpt).toBe('found: (none)\nordered: dnat_and_snat');
    expect(finding?.scope.router).toEqual(['r1']);
  });

  it('is mended where and as the database was reached', () => {
    expect(ovnStep(reached, 'ovn-nbctl', ['lr-nat-add', 'r1'])).toMatchObject({
      where: { kind: 'host', host: 'ctl' },
      argv: ['docker', 'exec', 'ovn_nb_db', 'ovn-nbctl', 'lr-nat-add', 'r1'],
    });
  });

  it('is left to the operator to type where its database was not reached', () => {
    expect(ovnStep(reached, 'ovn-sbctl', ['list', 'Chassis'])).toMatchObject({ where: { kind: 'operator' } });
  });

  it('is not mended by a command alone where something remains to be done', () => {
    const [mend] = difference.mends;
    expect(mend === undefined ? undefined : remedyOf(mend, reached).sufficient).toBe(true);
    const renewing = { by: 'ovn-nbctl', title: 'set it', argv: ['set'], remains: 'renew the lease' } as const;
    const remedy = remedyOf(renewing, reached);
    expect(remedy.sufficient).toBe(false);
    expect(remedy.steps.at(-1)?.note).toBe('renew the lease');
  });
});
