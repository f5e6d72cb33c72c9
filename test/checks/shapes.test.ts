import { describe, expect, it } from 'vitest';
import { editingOutput } from '../support/edit-bundle.ts';
import { bundleAt, findingsOf, reportOf } from '../support/replayed.ts';

/**
 * Healthy instances of a cloud that is not one network: dual stack, with addresses that another tenant has, too, and a
 * name made to hurt; directly on the flat external network; with two ports; on a network without DHCP and router.
 */
const dualStack = await bundleAt('test/fixtures/bundles/dual-stack.tgz');
const shapes = {
  'dual stack behind a router with two legs': dualStack,
  'on the flat external network': await bundleAt('test/fixtures/bundles/flat-external.tgz'),
  'with two ports, of two networks, on a cloud of Open vSwitch': await bundleAt('test/fixtures/bundles/two-ports.tgz'),
  'on a network without DHCP and router': await bundleAt('test/fixtures/bundles/no-dhcp.tgz'),
};

describe.each(Object.entries(shapes))('a healthy instance %s', (_, bundle) => {
  it('is found healthy, and nothing could not be looked at', async () => {
    const report = await reportOf(bundle);
    expect(findingsOf(report).filter((f) => f.severity !== 'info')).toEqual([]);
    const outcomes = report.steps.flatMap((s) => s.checks.map((c) => c.outcome));
    expect(outcomes.filter((o) => o.status === 'blocked' || o.status === 'unknown')).toEqual([]);
    expect(report.exitCode).toBe(0);
  });
});

describe('a dual-stack instance', () => {
  it('is judged by its pings of both families, its router once', async () => {
    const notes = (await reportOf(dualStack)).steps.flatMap((s) =>
      s.checks.flatMap((c) => (c.outcome.status === 'ok' ? [`${c.id}: ${c.outcome.note}`] : [])),
    );
    expect(notes.find((n) => n.startsWith('ping.from-router'))).toMatch(/→10\.0\.0\.\d+ 5\/5.*→fd00:77::\S+ 5\/5/);
    expect(notes.find((n) => n.startsWith('ping.gateway'))).toMatch(/^ping\.gateway: gateway 198\.19\.0\.1 5\/5$/);
    expect(notes.find((n) => n.startsWith('secgroup.enforced'))).toBe('secgroup.enforced: 8 rules present on cmp1');
  });

  it('that lacks an IPv6 rule on its node is told so, with what ip6tables shows', async () => {
    const lacking = editingOutput(dualStack, 'cmp1', 'ip6tables-save -c', (stdout) =>
      stdout.replace(/^.*-A neutron-linuxbri-i\S+ -p ipv6-icmp -j RETURN\n/m, ''),
    );
    const [found] = findingsOf(await reportOf(lacking)).filter((f) => f.severity === 'error');
    expect(found?.code).toBe('OSD-SG-003');
    expect(found?.evidence[0].source).toMatchObject({ argv: ['ip6tables-save', '-c'] });
    expect(found?.verify).toMatch(/^ostk-doctor secgroup '\$\(reboot\) /);
  });
});
