import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { type BackendFacts, chooseBackend } from '../../src/nodes/ssh-backend.ts';
import { identityKind } from '../../src/nodes/ssh-keys.ts';
import {
  isHostName,
  parseJump,
  parseSshG,
  resolveSshTarget,
  type SshOverrides,
  targetFromOptions,
} from '../../src/nodes/ssh-target.ts';
import { accessOf } from '../../src/nodes/transports.ts';
import { makeKey } from './ssh-server.ts';

const folder = mkdtempSync(join(tmpdir(), 'osd-target-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const local = { home: '/home/me', user: 'me', env: { SSH_AUTH_SOCK: '/run/agent', OTHER: '/run/other' } };
const target = (lines: string, overrides: SshOverrides = {}) =>
  targetFromOptions('cmp1', parseSshG(lines), overrides, local);

/** What OpenSSH 9.2 prints on Debian 12, where nobody has configured anything; lines that nothing reads are left out. */
const debian = `host cmp1
user root
hostname cmp1
port 22
addressfamily any
gssapiauthentication yes
hashknownhosts yes
identitiesonly no
stricthostkeychecking ask
securitykeyprovider internal
identityfile ~/.ssh/id_rsa
identityfile ~/.ssh/id_ed25519
globalknownhostsfile /etc/ssh/ssh_known_hosts /etc/ssh/ssh_known_hosts2
userknownhostsfile /root/.ssh/known_hosts /root/.ssh/known_hosts2
connecttimeout none
controlpersist no
`;

describe('the way to a host', () => {
  it('is what ssh -G says', () => {
    expect(target(debian)).toMatchObject({
      hostname: 'cmp1',
      port: 22,
      user: 'root',
      identityFiles: ['/home/me/.ssh/id_rsa', '/home/me/.ssh/id_ed25519'],
      agent: '/run/agent',
      jump: [],
      family: 0,
      hostKeys: 'strict',
      userKnownHosts: ['/root/.ssh/known_hosts', '/root/.ssh/known_hosts2'],
      hashKnownHosts: true,
      securityKeyProvider: undefined,
      controlPath: undefined,
      gssapi: true,
    });
  });

  it('takes what the tool’s own configuration says over it', () => {
    expect(
      target(debian, {
        user: 'ops',
        port: 2222,
        identityFile: '~/lab key',
        jump: 'a,ops@b:2',
        connectTimeoutSeconds: 3,
        acceptNewHostKeys: true,
      }),
    ).toMatchObject({
      user: 'ops',
      port: 2222,
      identityFiles: ['/home/me/lab key'],
      jump: ['a', 'ops@b:2'],
      connectTimeoutSeconds: 3,
      hostKeys: 'accept-new',
    });
  });

  it('never lets a changed host key pass, even where ssh_config would', () => {
    expect(target('stricthostkeychecking no\n').hostKeys).toBe('accept-new');
    expect(target('stricthostkeychecking accept-new\n').hostKeys).toBe('accept-new');
    expect(target('stricthostkeychecking yes\n').hostKeys).toBe('strict');
  });

  it('knows the tokens of file names, and which agent is meant', () => {
    expect(target('user ops\nhostname 10.0.0.1\nidentityfile %d/keys/%h-%r-%p-%n-%u-%%\n').identityFiles).toEqual([
      '/home/me/keys/10.0.0.1-ops-22-cmp1-me-%',
    ]);
    expect(target('identityagent none\n').agent).toBeUndefined();
    expect(target('identityagent SSH_AUTH_SOCK\n').agent).toBe('/run/agent');
    expect(target('identityagent $OTHER\n').agent).toBe('/run/other');
    expect(target('identityagent ~/agent.sock\n').agent).toBe('/home/me/agent.sock');
  });

  it('is no way at all when the name is none', async () => {
    for (const name of ['-oProxyCommand=id', 'a b', 'a;id', '$(id)', '', 'a\nb', '/etc/passwd']) {
      expect(isHostName(name)).toBe(false);
      expect(await resolveSshTarget(name, {}, local)).toMatchObject({ ok: false });
    }
    for (const name of ['cmp1', 'cmp1.example.org', '10.0.0.1', 'fe80::1%eth0', '_host'])
      expect(isHostName(name)).toBe(true);
  });

  it.each([
    ['bastion', { host: 'bastion' }],
    ['ops@bastion:2222', { host: 'bastion', user: 'ops', port: 2222 }],
    ['a@b@bastion', { host: 'bastion', user: 'a@b' }],
    ['[fe80::1]:22', { host: 'fe80::1', port: 22 }],
    ['ops@10.0.0.1', { host: '10.0.0.1', user: 'ops' }],
  ])('goes through %s', (text, hop) => expect(parseJump(text)).toEqual(hop));

  it('is found for a full name under its first label', () => {
    const hosts = { cmp1: 1, 'cmp2.example.org': 2 };
    expect(accessOf(hosts, 'cmp1.example.org')).toBe(1);
    expect(accessOf(hosts, 'cmp2.example.org')).toBe(2);
    expect(accessOf(hosts, 'cmp2')).toBeUndefined();
    expect(accessOf(hosts, 'toString')).toBeUndefined();
  });

  it('is read without an ssh here, too: no Include, nothing run', async () => {
    const home = join(folder, 'home');
    mkdirSync(join(home, '.ssh'), { recursive: true });
    const proof = join(folder, 'ran');
    writeFileSync(
      join(home, '.ssh/config'),
      `Match exec "touch ${proof}"\n  User evil\nHost cmp*\n  HostName 10.0.0.1\n  Port 2222\n  User ops\n  IdentityFile ~/.ssh/lab\n  ProxyJump bastion\n`,
    );
    const path = process.env.PATH;
    process.env.PATH = folder;
    try {
      const resolved = await resolveSshTarget('cmp1', {}, { ...local, home });
      expect(resolved).toMatchObject({
        ok: true,
        value: {
          hasSsh: false,
          target: {
            hostname: '10.0.0.1',
            port: 2222,
            user: 'ops',
            identityFiles: [join(home, '.ssh/lab')],
            jump: ['bastion'],
          },
        },
      });
    } finally {
      process.env.PATH = path;
    }
    expect(() => execFileSync('ls', [proof], { stdio: 'ignore' })).toThrow();
  });

  it('says in ssh’s own words that its configuration is broken', async () => {
    const configFile = join(folder, 'broken');
    writeFileSync(configFile, 'Bananas yes\n');
    const resolved = await resolveSshTarget('cmp1', { configFile }, local);
    // Where there is no ssh, there is nobody to complain.
    if (resolved.ok) expect(resolved.value.hasSsh).toBe(false);
    else expect(resolved.error).toMatch(/bananas/i);
  });
});

describe('who speaks SSH', () => {
  const plain: BackendFacts = {
    hasSsh: true,
    certificate: undefined,
    onlyAuthority: false,
    ownMaster: false,
    openKeys: 1,
    securityKeys: 0,
    kerberosTicket: false,
    jumpNeedsOpenssh: false,
  };
  const choice = (lines: string, facts: Partial<BackendFacts> = {}, wish: 'auto' | 'ssh2' | 'openssh' = 'auto') => {
    const chosen = chooseBackend({ ...target(lines), agent: undefined }, wish, { ...plain, ...facts });
    return chosen.backend;
  };

  it('is ssh2 for everyday hosts, also on Debian with its GSSAPIAuthentication for all', () => {
    expect(choice(debian)).toBe('ssh2');
    expect(choice(debian, { kerberosTicket: true })).toBe('ssh2');
  });

  it.each([
    ['ProxyCommand', `${debian}proxycommand nc %h %p\n`, {}],
    ['a certificate', `${debian}certificatefile ~/.ssh/id-cert.pub\n`, {}],
    ['a certificate beside a key', debian, { certificate: '/home/me/.ssh/id_rsa-cert.pub' }],
    ['PKCS#11', `${debian}pkcs11provider /usr/lib/opensc.so\n`, {}],
    ['a security key provider', debian.replace('internal', '/usr/lib/sk.so'), {}],
    ['only a security key', debian, { openKeys: 0, securityKeys: 1 }],
    ['no key but a ticket', debian, { openKeys: 0, kerberosTicket: true }],
    ['a certificate authority in known_hosts', debian, { onlyAuthority: true }],
    ['an open shared connection', debian, { ownMaster: true }],
    ['a jump host with such needs', debian, { jumpNeedsOpenssh: true }],
  ])('is the system’s ssh for %s', (_, lines, facts) => {
    expect(choice(lines, facts)).toBe('openssh');
    expect(choice(lines, facts, 'ssh2')).toBe('ssh2');
    expect(choice(lines, { ...facts, hasSsh: false })).toBe('ssh2');
  });

  it('is who was asked for', () => {
    expect(choice(debian, {}, 'openssh')).toBe('openssh');
  });
});

describe('a key file', () => {
  it('tells what it is good for', () => {
    expect(identityKind(makeKey().private)).toBe('open');
    expect(identityKind(makeKey('ed25519', 'secret').private)).toBe('encrypted');
    expect(
      identityKind(
        '-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00\n\nAAAA\n-----END RSA PRIVATE KEY-----',
      ),
    ).toBe('encrypted');
    expect(identityKind('-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----')).toBe(
      'encrypted',
    );
    expect(identityKind('-----BEGIN RSA PRIVATE KEY-----\nAAAA\n-----END RSA PRIVATE KEY-----')).toBe('open');
    const sk = Buffer.concat([
      Buffer.from('openssh-key-v1\0'),
      Buffer.from([0, 0, 0, 4]),
      Buffer.from('none…sk-ssh-ed25519@openssh.com'),
    ]);
    expect(
      identityKind(`-----BEGIN OPENSSH PRIVATE KEY-----\n${sk.toString('base64')}\n-----END OPENSSH PRIVATE KEY-----`),
    ).toBe('sk');
    expect(identityKind('ssh-ed25519 AAAA me')).toBeUndefined();
  });
});
