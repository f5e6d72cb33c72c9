import { chmodSync, mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { configFiles, loadConfig } from '../../src/config/load.ts';
import { nearest, parseConfig } from '../../src/config/parse.ts';

const fresh = () => mkdtempSync(join(tmpdir(), 'osd-config-'));
const put = (file: string, text: string) => {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
};
const problem = (text: string) => {
  const parsed = parseConfig(text, 'ostk-doctor.yaml');
  if (parsed.ok) throw new Error('expected a mistake');
  return `${parsed.error.where} ${parsed.error.message.split('\n')[1] ?? parsed.error.message}`;
};

describe('the configuration file', () => {
  it('is understood in full', () => {
    const parsed = parseConfig(
      `ssh: {backend: auto, user: ops, identityFile: ~/.ssh/lab, port: 2222, connectTimeout: 5, jump: 'ops@bastion:22,second', acceptNewHostKeys: true}
hosts:
  cmp1: {address: 198.18.0.31, user: root, port: 22, layout: kolla}
  ctl: {local: true}
`,
      'f',
    );
    expect(parsed).toEqual({
      ok: true,
      value: {
        ssh: {
          backend: 'auto',
          user: 'ops',
          identityFile: '~/.ssh/lab',
          port: 2222,
          connectTimeout: 5,
          jump: 'ops@bastion:22,second',
          acceptNewHostKeys: true,
        },
        hosts: { cmp1: { address: '198.18.0.31', user: 'root', port: 22, layout: 'kolla' }, ctl: { local: true } },
      },
    });
  });

  it('may be empty', () => {
    expect(parseConfig('', 'f')).toEqual({ ok: true, value: {} });
    expect(parseConfig('# nothing yet\n', 'f')).toEqual({ ok: true, value: {} });
  });

  it.each([
    ['ssh:\n  usr: ops\n', 'ostk-doctor.yaml:2:3 unknown key "usr", did you mean "user"?'],
    [
      'hosts:\n  cmp1:\n    identity-file: x\n',
      'ostk-doctor.yaml:3:5 unknown key "identity-file", did you mean "identityFile"?',
    ],
    ['shh: {}\n', 'ostk-doctor.yaml:1:1 unknown key "shh", did you mean "ssh"?'],
    ['bananas: 1\n', 'ostk-doctor.yaml:1:1 unknown key "bananas" (known: ssh, hosts)'],
    [
      'ssh:\n  backend: openshh\n',
      'ostk-doctor.yaml:2:12 ssh.backend must be one of auto, ssh2, openssh; did you mean "openssh"?',
    ],
    ['ssh:\n  port: 70000\n', /^ostk-doctor\.yaml:2:9 ssh\.port: .*65535/],
    ['ssh:\n  port: "22"\n', /^ostk-doctor\.yaml:2:9 ssh\.port: expected/],
    ['hosts:\n  cmp1: 10.0.0.1\n', /^ostk-doctor\.yaml:2:9 hosts\.cmp1: expected object/],
    ['ssh:\n  user: "-oProxyCommand=id"\n', 'ostk-doctor.yaml:2:9 ssh.user: not a user name'],
    ['ssh:\n  jump: "-oProxyCommand=id"\n', /^ostk-doctor\.yaml:2:9 ssh\.jump: not a list of jump hosts/],
    ['hosts:\n  cmp1:\n    address: "a b"\n', 'ostk-doctor.yaml:3:14 hosts.cmp1.address: not a host name or address'],
    ['ssh: {user: a}\nssh: {user: b}\n', /^ostk-doctor\.yaml:2:1 .*unique/],
    ['ssh: [unclosed\n', /^ostk-doctor\.yaml:2:1 /],
    ['- a\n- b\n', /^ostk-doctor\.yaml:1:1 expected object/],
    ['ssh: !ruby/object {}\n', /^ostk-doctor\.yaml:1:6 .*tag/i],
  ])('names the place of a mistake: %j', (text, said) => {
    if (typeof said === 'string') expect(problem(text)).toBe(said);
    else expect(problem(text)).toMatch(said);
  });

  it('refuses a file that unfolds without end', () => {
    const bomb = `a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: [*b,*b,*b,*b,*b,*b,*b,*b,*b]\n`;
    expect(problem(bomb)).toMatch(/alias/i);
  });

  it('suggests only words that are near', () => {
    expect(nearest('connect_timeout', ['connectTimeout', 'port'])).toBe('connectTimeout');
    expect(nearest('hsots', ['ssh', 'hosts'])).toBe('hosts');
    expect(nearest('zzz', ['ssh', 'hosts'])).toBeUndefined();
  });
});

describe('where the configuration is looked for', () => {
  it('is the working directory, then the user, then the system', () => {
    expect(configFiles({ cwd: '/w', env: {}, home: '/h' })).toEqual([
      '/w/ostk-doctor.yaml',
      '/h/.config/ostk-doctor/config.yaml',
      '/etc/ostk-doctor/config.yaml',
    ]);
    expect(configFiles({ cwd: '/w', env: { XDG_CONFIG_HOME: '/x' }, home: '/h' })[1]).toBe(
      '/x/ostk-doctor/config.yaml',
    );
    expect(configFiles({ cwd: '/w', env: { OSTK_DOCTOR_CONFIG: '/one.yaml' }, home: '/h' })).toEqual(['/one.yaml']);
  });

  it('lets the stronger file replace only what it states', async () => {
    const root = fresh();
    put(join(root, 'w/ostk-doctor.yaml'), 'ssh: {user: ops}\nhosts: {cmp1: {port: 2222}}\n');
    put(
      join(root, 'x/ostk-doctor/config.yaml'),
      'ssh: {user: me, port: 22}\nhosts: {cmp1: {address: 10.0.0.1}, cmp2: {local: true}}\n',
    );
    const loaded = await loadConfig({ cwd: join(root, 'w'), env: { XDG_CONFIG_HOME: join(root, 'x') }, home: root });
    expect(loaded).toEqual({
      ok: true,
      value: {
        config: {
          ssh: { user: 'ops', port: 22 },
          hosts: { cmp1: { address: '10.0.0.1', port: 2222 }, cmp2: { local: true } },
        },
        files: [join(root, 'w/ostk-doctor.yaml'), join(root, 'x/ostk-doctor/config.yaml')],
      },
    });
  });

  it('is nothing at all for most people', async () => {
    const root = fresh();
    expect(await loadConfig({ cwd: root, env: {}, home: root })).toEqual({
      ok: true,
      value: { config: {}, files: [] },
    });
  });

  it('says so when a file that was named is not there', async () => {
    const root = fresh();
    const loaded = await loadConfig({ cwd: root, env: { OSTK_DOCTOR_CONFIG: join(root, 'no.yaml') }, home: root });
    expect(loaded.ok ? '' : `${loaded.error.where}: ${loaded.error.message}`).toBe(
      `${join(root, 'no.yaml')}: the configuration cannot be read\nthere is no such file`,
    );
  });

  it('takes an ssh_config only from a file that the operator named or keeps, not from whatever directory he stands in', async () => {
    const root = fresh();
    const text = 'ssh: {configFile: ./ssh_config, knownHosts: ./known_hosts}\n';
    put(join(root, 'w/ostk-doctor.yaml'), text);
    const here = await loadConfig({ cwd: join(root, 'w'), env: {}, home: root });
    expect(here.ok ? '' : `${here.error.where}: ${here.error.message}`).toMatch(
      /w\/ostk-doctor\.yaml: ssh\.configFile may not be set in the current directory\n/,
    );
    const named = { OSTK_DOCTOR_CONFIG: join(root, 'w/ostk-doctor.yaml') };
    expect(await loadConfig({ cwd: join(root, 'w'), env: named, home: root })).toMatchObject({ ok: true });
    put(join(root, '.config/ostk-doctor/config.yaml'), text);
    expect(await loadConfig({ cwd: root, env: {}, home: root })).toMatchObject({
      ok: true,
      value: { config: { ssh: { configFile: './ssh_config' } } },
    });
  });

  it.skipIf(process.getuid?.() === 0)('says so when a file cannot be read', async () => {
    const root = fresh();
    put(join(root, 'ostk-doctor.yaml'), '');
    chmodSync(join(root, 'ostk-doctor.yaml'), 0);
    const loaded = await loadConfig({ cwd: root, env: {}, home: root });
    expect(loaded.ok ? '' : loaded.error.message).toContain('permission denied');
  });
});
