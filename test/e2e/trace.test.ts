import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import type { SshFault } from '../../src/demo/faults.ts';
import type { RunReport } from '../../src/engine/report.ts';
import { alsoAsked } from '../support/edit-bundle.ts';
import { bundleAt } from '../support/replayed.ts';
import { expectComplaint, withDesk, withSite } from './doctor.ts';

const path = (file: string): string => fileURLToPath(new URL(`../../${file}`, import.meta.url));
const recorded = path('test/fixtures/bundles/ovsfw-trace-healthy.tgz');
const healthy = await bundleAt('test/fixtures/bundles/ovsfw-trace-healthy.tgz');
const list = '/v2.1/servers/detail?';
const router = ['trace', 'router', 'web-1'];

describe.concurrent('trace', () => {
  it.each([
    ['two places and no instance', ['router', 'dhcp'], /instance at one end/],
    ['one end', ['web-1'], /missing required argument/],
    ['one end too many', ['router', 'web-1', 'db-1'], /too many arguments/],
    ['no packet', ['router', 'web-1', '--count', '0'], /--count 0.*\n.*1 to 100/],
    ['a packet that is too small for its mark', ['router', 'web-1', '--size', '10'], /--size 10/],
    [
      'a question for a DHCP server to a router',
      ['router', 'web-1', '--probe', 'dhcp'],
      /its DHCP server.*\n.*trace web-1 dhcp --probe dhcp/,
    ],
    [
      'a question for metadata to a DHCP server',
      ['web-1', 'dhcp', '--probe', 'metadata'],
      /metadata.*\n.*trace web-1 metadata --probe metadata/,
    ],
    ['a packet that is none', ['router', 'web-1', '--probe', 'tcp'], /tcp\/PORT/],
    ['packets that may not be sent', ['router', 'web-1', '--no-probe-packets'], /--no-probe-packets/],
    ['an option that is none', ['router', 'web-1', '--allow', 'change'], /--allow/],
  ])('with %s is refused in at most four lines, before anything is asked', (_, args, words) =>
    withDesk({ OS_AUTH_URL: 'http://127.0.0.1:9/v3', OS_USERNAME: 'ops', OS_PASSWORD: 'a secret' }, async (desk) => {
      expectComplaint(await desk.run(['trace', ...args]), words);
    }),
  );

  it.each([
    ['an instance that does not exist', ['router', 'no-such']],
    ['a peer that does not exist', ['web-1', 'no-such']],
  ])('of %s is refused in at most four lines', (_, args) =>
    withSite(
      { bundle: alsoAsked(healthy, list, `${list}name=^no-such$&all_tenants=1`, () => ({ servers: [] })) },
      async (site) => {
        expectComplaint(await site.run(['trace', ...args]), /no-such/);
      },
    ),
  );

  it('comes to the same over real HTTP and SSH as the replay of its recording', () =>
    withSite({ bundle: healthy }, async (site) => {
      const { report } = await site.report(router);
      const { report: replayed } = await site.report(['replay', recorded]);
      expect(report.exitCode).toBe(0);
      const counted = ({ traces = [] }: RunReport) =>
        traces.map(({ title, sent, answered, points, reading }) => [title, sent, answered, points, reading]);
      expect(counted(report)).toEqual(counted(replayed));
      expect(report.traces?.length).toBe(1);
    }));

  it.each(['human', 'json', 'markdown'])('is replayed byte for byte as %s', (format) =>
    withSite({ bundle: healthy }, async (site) => {
      const file = join(site.home, 'run.tgz');
      const live = await site.run([...router, '--record', file, '--output', format]);
      const again = await site.run(['replay', file, '--output', format]);
      expect(live.code).toBe(0);
      expect(again).toMatchObject({ code: live.code, stdout: live.stdout });
    }),
  );

  it.each(['demo/trace-healthy.tgz', 'demo/trace-stopped.tgz'])('is replayed alike however often: %s', (file) =>
    withDesk({}, async (desk) => {
      for (const format of ['human', 'json']) {
        const [once, again] = await Promise.all([0, 1].map(() => desk.run(['replay', path(file), '--output', format])));
        expect(again).toMatchObject({ code: once?.code, stdout: once?.stdout, stderr: '' });
        expect([0, 1]).toContain(once?.code);
      }
    }),
  );

  const faults: readonly (readonly [says: string, fault: SshFault, why: RegExp])[] = [
    ['without tcpdump', { do: 'missing-tool', tool: 'tcpdump' }, /tcpdump is not installed/],
    ['that asks for a password for root', { do: 'sudo-password' }, /root is needed/],
    ['that refuses connections', { do: 'refused' }, /refuses the connection/],
  ];
  it.each(faults)('of a host %s says so, and calls nothing lost that was answered', (_, fault, why) =>
    withSite({ bundle: healthy, faults: { ssh: { cmp1: [fault] } } }, async (site) => {
      const ran = await site.run(router);
      expect([0, 3]).toContain(ran.code);
      expect(ran.stdout).toMatch(why);
      expect(ran.stdout).not.toMatch(/STOPS HERE|never at|OSD-PATH/);
    }),
  );

  it('to an address that nothing of Neutron can send to does not say that all is well', () =>
    withSite({ bundle: healthy }, async (site) => {
      const ran = await site.run(['trace', 'web-1', '203.0.113.7']);
      expect(ran.code).toBe(3);
      expect(ran.stdout).toContain('203.0.113.7');
      expect(ran.stdout).not.toContain('No fault found on any path');
    }));
});
