import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { SshFault } from '../../src/demo/server.ts';
import { failuresOf, outcomesOf, type Site, withSite } from './doctor.ts';

/** One node of several misbehaves; the others do not. */
const withNode = <T>(host: string, fault: SshFault, use: (site: Site) => Promise<T>) =>
  withSite({ faults: { ssh: { [host]: [fault] } } }, use);

/** A configuration that does not wait long. */
async function hurried(site: Site, more: object = {}): Promise<string> {
  const file = join(site.home, 'hurried.yaml');
  const ssh = { configFile: site.demo.sshConfigPath, connectTimeout: 2, ...more };
  await writeFile(file, JSON.stringify({ ssh }));
  return file;
}

/** What cmp1 alone tells is known; what net1 tells is not, and nobody is blamed for it. */
function expectOnlyNet1Missing(report: Awaited<ReturnType<Site['report']>>['report']) {
  expect(report.diagnosis.causes).toEqual([]);
  expect(report.counts.unknown).toBe(0);
  expect(outcomesOf(report)).toMatchObject({
    'host.domain': { status: 'ok' },
    'secgroup.enforced': { status: 'ok' },
    'metadata.served': { status: 'blocked' },
  });
  for (const failure of failuresOf(report)) if ('host' in failure) expect(failure.host).toBe('net1');
}

describe.concurrent('one node that cannot be reached', () => {
  const ways: readonly [string, SshFault, object][] = [
    ['refuses the connection', { do: 'refused' }, { stage: 'tcp', detail: expect.stringContaining('refuses') }],
    [
      'has another host key',
      { do: 'host-key-changed' },
      { stage: 'host-key', fix: expect.stringContaining('ssh-keygen -R') },
    ],
    ['refuses the key', { do: 'auth-refused' }, { stage: 'auth', fix: expect.stringContaining('--user') }],
    [
      'has a name that does not resolve',
      { do: 'no-such-name' },
      { stage: 'name', fix: expect.stringContaining('hosts:') },
    ],
  ];
  it.each(ways)('%s: it is said once with what would help, and the rest goes on', (_, fault, failure) =>
    withNode('net1', fault, async (site) => {
      const { ran, report } = await site.report();
      expect(ran).toMatchObject({ code: 3, stderr: '' });
      expect(failuresOf(report)).toEqual([expect.objectContaining({ kind: 'unreachable', host: 'net1', ...failure })]);
      expectOnlyNet1Missing(report);
    }),
  );

  it('accepts the connection and is silent: the patience is the configuration’s', () =>
    withNode('net1', { do: 'hang' }, async (site) => {
      const { ran, report } = await site.report(['net', 'web-1', '--config', await hurried(site)]);
      expect(ran.code).toBe(3);
      expect(failuresOf(report)).toEqual([expect.objectContaining({ kind: 'unreachable', stage: 'timeout' })]);
      expectOnlyNet1Missing(report);
    }));

  it('never starts a shell: nothing more is asked of it', () =>
    withNode('net1', { do: 'hang-exec' }, async (site) => {
      const { ran, report } = await site.report(['net', 'web-1', '--config', await hurried(site)]);
      expect(ran.code).toBe(3);
      expect(failuresOf(report)).toEqual([{ kind: 'timeout', what: 'a shell on net1', seconds: 4 }]);
      expectOnlyNet1Missing(report);
    }));

  it('has a key that nobody knows: it is refused with what would accept it, and added when that is asked for', () =>
    withSite({}, async (site) => {
      const knownHosts = join(site.home, 'known_hosts');
      await writeFile(knownHosts, '');
      const args = ['net', 'web-1', '--config', await hurried(site, { knownHosts })];
      const strict = await site.report(args);
      expect(strict.ran.code).toBe(3);
      for (const failure of failuresOf(strict.report)) {
        expect(failure).toMatchObject({
          kind: 'unreachable',
          stage: 'host-key',
          fix: expect.stringContaining(knownHosts),
        });
      }
      expect(await readFile(knownHosts, 'utf8')).toBe('');

      const accepting = await site.report([...args, '--accept-new-host-keys']);
      expect(accepting.ran.code).toBe(0);
      expect((await readFile(knownHosts, 'utf8')).trimEnd().split('\n').length).toBeGreaterThanOrEqual(2);
      expect((await site.run(args)).code).toBe(0);
    }));
});

describe.concurrent('a node that is reached', () => {
  it('may lose the connection in the middle of a batch: what it had answered counts', () =>
    withNode('net1', { do: 'lost', after: 3 }, async (site) => {
      const { ran, report } = await site.report();
      expect(ran).toMatchObject({ code: 3, stderr: '' });
      expect(failuresOf(report).length).toBeGreaterThan(0);
      for (const failure of failuresOf(report)) expect(failure).toMatchObject({ host: 'net1', stage: 'lost' });
      expect(outcomesOf(report)).toMatchObject({ 'host.domain': { status: 'ok' }, 'ping.floating': { status: 'ok' } });
    }));

  it('may lack a tool: it is named, with the package that has it', () =>
    withNode('cmp1', { do: 'missing-tool', tool: 'virsh' }, async (site) => {
      const { ran, report } = await site.report();
      expect(ran.code).toBe(3);
      expect(failuresOf(report)).toEqual([
        expect.objectContaining({
          kind: 'missing-tool',
          host: 'cmp1',
          tool: 'virsh',
          fix: expect.stringMatching(/libvirt/),
        }),
      ]);
      expect(outcomesOf(report)).toMatchObject({
        'host.domain': { status: 'blocked' },
        'ping.from-dhcp': { status: 'ok' },
      });
    }));

  it('may want a password for sudo: the line for sudoers is given in full', () =>
    withNode('net1', { do: 'sudo-password' }, async (site) => {
      const { ran, report } = await site.report();
      expect(ran).toMatchObject({ code: 3, stderr: '' });
      expect(failuresOf(report)).toEqual([
        expect.objectContaining({ kind: 'sudo', host: 'net1', fix: expect.stringContaining('NOPASSWD: ALL') }),
      ]);
      expect(outcomesOf(report)).toMatchObject({ 'dhcp.served': { status: 'ok' }, 'host.domain': { status: 'ok' } });
    }));

  it('may write a hundred megabytes: no more is kept than was asked for', () =>
    withNode('cmp1', { do: 'flood', command: 'iptables-save', bytes: 100_000_000 }, async (site) => {
      const { ran, report } = await site.report();
      expect([1, 3]).toContain(ran.code);
      expect(ran.stdout.length).toBeLessThan(2_000_000);
      expect(report.counts.unknown).toBe(0);
      expect(outcomesOf(report)).toMatchObject({ 'ping.from-dhcp': { status: 'ok' } });
    }));
});
