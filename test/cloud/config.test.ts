import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loadCloudConfig } from '../../src/cloud/config/load.ts';
import {
  type CloudConfig,
  type ConfigProblem,
  describeOrigin,
  type LoadOptions,
} from '../../src/cloud/config/types.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'osd-config-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

/** Writes `files` below the temporary directory, private unless said, and returns their absolute names. */
function write(files: Readonly<Record<string, string>>, mode = 0o600): void {
  for (const [name, text] of Object.entries(files)) {
    const path = join(dir, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
    chmodSync(path, mode);
  }
}

type Changes = Partial<Omit<LoadOptions, 'env'>> & { readonly env?: Readonly<Record<string, string>> };

const attempt = (changes: Changes = {}) =>
  loadCloudConfig({
    env: {},
    cwd: join(dir, 'cwd'),
    home: join(dir, 'home'),
    siteDirs: [join(dir, 'xdg'), join(dir, 'etc')],
    platform: 'linux',
    ...changes,
  });

function load(changes: Changes = {}): CloudConfig {
  const result = attempt(changes);
  if (!result.ok) throw new Error(JSON.stringify(result.error));
  return result.value;
}

function problem(changes: Changes = {}): ConfigProblem {
  const result = attempt(changes);
  if (result.ok) throw new Error(`loaded ${result.value.name}`);
  return result.error;
}

const originOf = (config: CloudConfig, key: string): string | undefined => {
  const setting = config.settings.find((candidate) => candidate.key === key);
  return setting && describeOrigin(setting.origin).replace(`${dir}/`, '');
};

const cloud = (name: string, more = '') => `clouds:
  ${name}:
    auth:
      auth_url: https://${name}.example.com:5000/v3
      username: op
      password: secret
      project_name: p
      user_domain_name: Default
      project_domain_name: Default
${more}`;

describe('which file is read', () => {
  it.each([
    ['cwd/clouds.yaml', ['cwd/clouds.yaml', 'home/.config/openstack/clouds.yaml', 'etc/clouds.yaml']],
    ['cwd/clouds.yaml', ['cwd/clouds.yaml', 'cwd/clouds.yml', 'cwd/clouds.json']],
    ['cwd/clouds.yml', ['cwd/clouds.yml', 'home/.config/openstack/clouds.yaml']],
    ['home/.config/openstack/clouds.yaml', ['home/.config/openstack/clouds.yaml', 'xdg/clouds.yaml']],
    ['xdg/clouds.yaml', ['xdg/clouds.yaml', 'etc/clouds.yaml']],
    ['etc/clouds.yaml', ['etc/clouds.yaml']],
  ])('%s wins over the later ones of %j', (winner, present) => {
    for (const name of present) write({ [name]: cloud(name.replace(/\W/g, '-')) });
    expect(load().name).toBe(winner.replace(/\W/g, '-'));
  });

  it('takes the directory of XDG_CONFIG_HOME before ~/.config', () => {
    write({ 'xdg-home/openstack/clouds.yaml': cloud('a'), 'home/.config/openstack/clouds.yaml': cloud('b') });
    expect(load({ env: { XDG_CONFIG_HOME: join(dir, 'xdg-home') } }).name).toBe('a');
  });

  it('looks in the real home inside a snap', () => {
    write({ 'real/.config/openstack/clouds.yaml': cloud('a') });
    expect(load({ env: { SNAP_REAL_HOME: join(dir, 'real') } }).name).toBe('a');
  });

  it('puts OS_CLIENT_CONFIG_FILE before everything else', () => {
    write({ 'mine.yaml': cloud('mine'), 'cwd/clouds.yaml': cloud('other') });
    expect(load({ env: { OS_CLIENT_CONFIG_FILE: join(dir, 'mine.yaml') } }).name).toBe('mine');
  });

  it('says so when OS_CLIENT_CONFIG_FILE does not exist, and goes on searching', () => {
    write({ 'cwd/clouds.yaml': cloud('other') });
    const config = load({ env: { OS_CLIENT_CONFIG_FILE: join(dir, 'gone.yaml') } });
    expect(config.name).toBe('other');
    expect(config.warnings.join()).toContain('gone.yaml');
  });

  it('skips a file that is not YAML, names its line, and takes the next', () => {
    write({ 'cwd/clouds.yaml': 'clouds:\n  a:\n    auth: {b: c\n', 'etc/clouds.yaml': cloud('good') });
    const config = load();
    expect(config.name).toBe('good');
    expect(config.warnings[0]).toMatch(/cwd\/clouds\.yaml:\d+ was skipped/);
  });

  it('reads JSON', () => {
    const body = { clouds: { j: { auth_type: 'none', auth: { endpoint: 'http://ironic:6385' } } } };
    write({ 'cwd/clouds.json': JSON.stringify(body) });
    expect(load().auth.endpoint).toBe('http://ironic:6385');
  });
});

describe('which cloud is taken', () => {
  const two = `${cloud('a')}${cloud('b').replace('clouds:\n', '')}`;

  it('takes the only one', () => {
    write({ 'cwd/clouds.yaml': cloud('only') });
    expect(load().name).toBe('only');
  });

  it('lists the names when there are several and none was chosen', () => {
    write({ 'cwd/clouds.yaml': two });
    expect(problem()).toMatchObject({ where: join(dir, 'cwd/clouds.yaml'), hint: expect.stringContaining('a, b') });
  });

  it('prefers the option, then OS_CLOUD', () => {
    write({ 'cwd/clouds.yaml': two });
    expect(load({ env: { OS_CLOUD: 'b' } }).name).toBe('b');
    expect(load({ cloud: 'a', env: { OS_CLOUD: 'b' } }).name).toBe('a');
  });

  it('names the file and the clouds in it when the one asked for is not there', () => {
    write({ 'cwd/clouds.yaml': two });
    expect(problem({ cloud: 'prod' })).toEqual({
      what: 'Cloud prod (--os-cloud) was not found.',
      where: join(dir, 'cwd/clouds.yaml'),
      hint: 'Known there: a, b.',
    });
  });

  it('tells where it looked when there is nothing at all', () => {
    expect(problem().hint).toContain(join(dir, 'home/.config/openstack/clouds.yaml'));
  });

  it('carries the parse error into the error when no other file is there', () => {
    write({ 'cwd/clouds.yaml': 'clouds:\n\t- a' });
    expect(problem().why).toMatch(/cwd\/clouds\.yaml:2 was skipped/);
  });

  it('refuses a list where clouds should be', () => {
    write({ 'cwd/clouds.yaml': 'clouds:\n  - a\n' });
    expect(problem().where).toMatch(/clouds\.yaml:1$/);
  });
});

describe('OS_* variables', () => {
  const env = {
    OS_AUTH_URL: 'http://ctl:5000/v3',
    OS_USERNAME: 'admin',
    OS_PASSWORD: 'pw',
    OS_PROJECT_NAME: 'admin',
    OS_USER_DOMAIN_NAME: 'Default',
    OS_PROJECT_DOMAIN_NAME: 'Default',
  };

  it('form a cloud called envvars, before the clouds of a file', () => {
    write({ 'cwd/clouds.yaml': cloud('a') });
    const config = load({ env });
    expect(config).toMatchObject({ name: 'envvars', from: 'env', auth: { username: 'admin', project_name: 'admin' } });
    expect(originOf(config, 'auth.username')).toBe('OS_USERNAME');
  });

  it('can be called otherwise by OS_CLOUD_NAME', () => {
    expect(load({ env: { ...env, OS_CLOUD_NAME: 'here' } }).name).toBe('here');
  });

  it('must not share their name with a cloud of the file', () => {
    write({ 'cwd/clouds.yaml': cloud('envvars') });
    expect(problem({ env })).toMatchObject({ hint: expect.stringContaining('OS_CLOUD_NAME') });
  });

  it('are not a cloud when only selectors or test variables are set', () => {
    write({ 'cwd/clouds.yaml': cloud('a', '    region_name: R1\n') });
    expect(
      load({ env: { OS_REGION_NAME: 'R1', OS_TEST_PATH: 'x', OS_STDOUT_CAPTURE: '1', OS_LOG_DEFAULTS: 'y' } }).name,
    ).toBe('a');
  });

  it('are not a cloud without OS_AUTH_URL, which is said when there is no other', () => {
    expect(problem({ env: { OS_USERNAME: 'admin' } })).toMatchObject({
      where: 'OS_USERNAME',
      hint: expect.stringContaining('OS_AUTH_URL'),
    });
  });

  it('are left aside when OS_CLOUD names a cloud, and that is said', () => {
    write({ 'cwd/clouds.yaml': cloud('a') });
    const config = load({ env: { ...env, OS_CLOUD: 'a' } });
    expect(config.auth.username).toBe('op');
    expect(config.warnings.join()).toContain('OS_AUTH_URL');
    expect(config.warnings.join()).not.toContain('pw');
  });

  it('fill in a password that the file leaves out', () => {
    write({ 'cwd/clouds.yaml': cloud('a').replace(/ +password: secret\n/, '') });
    const config = load({ env: { OS_CLOUD: 'a', OS_PASSWORD: 'typed' } });
    expect(config.auth.password).toBe('typed');
    expect(originOf(config, 'auth.password')).toBe('OS_PASSWORD');
  });

  it('understand the old tenant names, and a token without a user', () => {
    const { OS_PROJECT_NAME: _, OS_USERNAME: __, OS_PASSWORD: ___, ...rest } = env;
    const config = load({ env: { ...rest, OS_TENANT_NAME: 'old', OS_TOKEN: 't' } });
    expect(config).toMatchObject({ authType: 'token', auth: { project_name: 'old', token: 't' } });
  });

  it('count an empty variable as not set', () => {
    expect(load({ env: { ...env, OS_PROJECT_ID: '', OS_INTERFACE: '' } }).auth.project_id).toBeUndefined();
  });
});

describe('merging', () => {
  it('lays secure.yaml over clouds.yaml, mappings in depth', () => {
    write({
      'cwd/clouds.yaml': cloud('a', '    region_name: R1\n').replace('password: secret', 'password: old'),
      'etc/secure.yaml': 'clouds:\n  a:\n    auth:\n      password: from-secure\n',
    });
    const config = load();
    expect(config.auth).toMatchObject({ password: 'from-secure', username: 'op' });
    expect(originOf(config, 'auth.password')).toBe('etc/secure.yaml:4');
    expect(originOf(config, 'auth.username')).toBe('cwd/clouds.yaml:5');
    expect(config.region).toBe('R1');
  });

  it('takes OS_CLIENT_SECURE_FILE first', () => {
    write({
      'cwd/clouds.yaml': cloud('a'),
      'cwd/secure.yaml': 'clouds: {a: {auth: {password: near}}}',
      'vault.yaml': 'clouds: {a: {auth: {password: vault}}}',
    });
    expect(load({ env: { OS_CLIENT_SECURE_FILE: join(dir, 'vault.yaml') } }).auth.password).toBe('vault');
  });

  it('puts a profile of clouds-public.yaml under the cloud, auth on its own', () => {
    write({
      'cwd/clouds.yaml':
        'clouds:\n  a:\n    profile: vendor\n    auth: {username: me, password: p, user_domain_name: D, project_id: x}\n',
      'etc/clouds-public.yaml':
        'public-clouds:\n  vendor:\n    auth: {auth_url: "https://id.vendor.example", user_domain_name: Theirs}\n    interface: internal\n    region_name: V1\n',
    });
    const config = load();
    expect(config.auth).toMatchObject({ auth_url: 'https://id.vendor.example', user_domain_name: 'D', username: 'me' });
    expect(config).toMatchObject({ interface: 'internal', region: 'V1' });
    expect(originOf(config, 'interface')).toBe('etc/clouds-public.yaml:4');
  });

  it('warns about the old word cloud, an unknown profile, and a profile that is a URL', () => {
    write({ 'cwd/clouds.yaml': cloud('a', '    cloud: vendor\n') });
    expect(load().warnings.join('\n')).toMatch(/old name[\s\S]*profile vendor of cloud a was not found/);
    write({ 'cwd/clouds.yaml': cloud('a', '    profile: https://vendor.example\n') });
    expect(load().warnings.join('\n')).toContain('is a URL and is not fetched');
  });

  it('reads - in keys as _, and numbers as text', () => {
    write({
      'cwd/clouds.yaml': `clouds:
  a-b:
    auth-type: v3password
    auth: {auth-url: "https://x:5000", username: op, password: 12345, user-domain-id: default, project-id: 42}
    compute-api-version: 2.79
`,
    });
    expect(load()).toMatchObject({
      name: 'a-b',
      authType: 'v3password',
      auth: { auth_url: 'https://x:5000', password: '12345', user_domain_id: 'default', project_id: '42' },
      apiVersion: { compute: '2.79', network: '2' },
    });
  });

  it('warns of a password that YAML reads as another number', () => {
    write({ 'cwd/clouds.yaml': cloud('a').replace('password: secret', 'password: 0123') });
    expect(load().warnings.join()).toMatch(/clouds\.yaml:6: password is read as the number/);
  });

  it('spreads one domain over user and project, unless the scope is the domain itself', () => {
    const env = { OS_AUTH_URL: 'http://k:5000', OS_USERNAME: 'u', OS_PASSWORD: 'p', OS_DOMAIN_NAME: 'Corp' };
    expect(load({ env: { ...env, OS_PROJECT_NAME: 'x' } }).auth).toMatchObject({
      user_domain_name: 'Corp',
      project_domain_name: 'Corp',
    });
    const scoped = load({ env: { ...env, OS_USER_DOMAIN_NAME: 'Default' } }).auth;
    expect(scoped).toMatchObject({ domain_name: 'Corp', user_domain_name: 'Default' });
  });

  it('resolves YAML anchors and merge keys', () => {
    write({
      'cwd/clouds.yaml': `x-auth: &auth {auth_url: "https://x:5000/v3", username: op, password: p, user_domain_id: default, project_id: y}
clouds:
  a:
    auth:
      <<: *auth
      username: other
`,
    });
    expect(load().auth).toMatchObject({ username: 'other', auth_url: 'https://x:5000/v3' });
  });
});

describe('regions', () => {
  const regions =
    '    regions:\n      - R1\n      - name: R2\n        values: {interface: internal, auth: {project_name: p2}}\n';

  it('takes the first one when none was asked for', () => {
    write({ 'cwd/clouds.yaml': cloud('a', regions) });
    expect(load().region).toBe('R1');
  });

  it.each([
    ['--os-region-name', { region: 'R2' }],
    ['OS_REGION_NAME', { env: { OS_REGION_NAME: 'R2' } }],
  ])('takes the one named by %s with its values', (origin, changes) => {
    write({ 'cwd/clouds.yaml': cloud('a', regions) });
    const config = load(changes);
    expect(config).toMatchObject({ region: 'R2', interface: 'internal', auth: { project_name: 'p2', username: 'op' } });
    expect(originOf(config, 'region_name')).toBe(origin);
  });

  it('lists the valid ones for a region it does not know', () => {
    write({ 'cwd/clouds.yaml': cloud('a', regions) });
    expect(problem({ region: 'r1' })).toEqual({
      what: 'Cloud a has no region r1 (--os-region-name).',
      where: `${join(dir, 'cwd/clouds.yaml')}:10`,
      hint: 'Regions there: R1, R2. Upper and lower case count.',
    });
  });

  it('takes any region when the configuration knows none', () => {
    write({ 'cwd/clouds.yaml': cloud('a') });
    expect(load({ region: 'Anywhere' }).region).toBe('Anywhere');
    expect(load().region).toBeUndefined();
  });

  it('splits an old comma list, with a warning', () => {
    write({ 'cwd/clouds.yaml': cloud('a', '    region_name: R1,R2\n') });
    const config = load({ region: 'R2' });
    expect(config.region).toBe('R2');
    expect(config.warnings.join()).toContain('old style');
  });
});

describe('TLS, endpoints and the rest', () => {
  it.each([
    ['', { verify: true }],
    ['    verify: false\n', { verify: false }],
    ['    verify: no\n', { verify: false }],
    ['    insecure: true\n', { verify: false }],
    ['    cacert: ~/ca.pem\n', { verify: true, cacert: 'home/ca.pem' }],
    [
      '    cacert: ca.pem\n    cert: c.pem\n    key: /k.pem\n',
      { verify: true, cacert: 'cwd/ca.pem', cert: 'cwd/c.pem', key: '/k.pem' },
    ],
    ['    verify: false\n    cacert: /ca.pem\n', { verify: false }],
  ])('%j', (yaml, tls) => {
    write({ 'cwd/clouds.yaml': cloud('a', yaml) });
    const got = Object.fromEntries(
      Object.entries(load().tls).map(([key, value]) => [
        key,
        typeof value === 'string' ? value.replace(`${dir}/`, '') : value,
      ]),
    );
    expect(got).toEqual(tls);
  });

  it('warns that a CA file beside verify: false is not used', () => {
    write({ 'cwd/clouds.yaml': cloud('a', '    verify: false\n    cacert: /ca.pem\n') });
    expect(load().warnings.join()).toMatch(/clouds\.yaml:\d+: cacert is not used/);
  });

  it('takes the CA file of python-requests when nothing else names one', () => {
    write({ 'cwd/clouds.yaml': cloud('a') });
    expect(load({ env: { REQUESTS_CA_BUNDLE: '/corp.pem' } }).tls.cacert).toBe('/corp.pem');
  });

  it('knows overrides, versions and interfaces of a service by every name of it', () => {
    write({
      'cwd/clouds.yaml': cloud(
        'a',
        `    compute_endpoint_override: https://{region_name}.example.com/v2.1/
    volume_endpoint_override: https://vol.example.com/v3
    baremetal_api_version: '1.72'
    network_interface: admin
    endpoint_type: internalURL
    region_name: R1
`,
      ),
    });
    expect(load()).toMatchObject({
      endpointOverride: { compute: 'https://R1.example.com/v2.1', 'block-storage': 'https://vol.example.com/v3' },
      apiVersion: { baremetal: '1.72' },
      serviceInterface: { network: 'admin' },
      interface: 'internal',
    });
  });

  it('lets --os-interface win, and refuses one that does not exist', () => {
    write({ 'cwd/clouds.yaml': cloud('a', '    interface: internal\n') });
    expect(load({ interface: 'admin' }).interface).toBe('admin');
    expect(problem({ interface: 'private' }).hint).toBe('Choose public, internal or admin.');
  });

  it('takes api_timeout in seconds, and 30 s without it', () => {
    write({ 'cwd/clouds.yaml': cloud('a', '    api_timeout: 5\n') });
    expect(load().timeoutMs).toBe(5000);
    write({ 'cwd/clouds.yaml': cloud('a') });
    expect(load().timeoutMs).toBe(30_000);
  });
});

describe('secrets', () => {
  it('are masked among the settings', () => {
    write({ 'cwd/clouds.yaml': cloud('a') });
    const { settings } = load();
    expect(settings.find((setting) => setting.key === 'auth.password')?.value).toBe('***');
    expect(JSON.stringify(settings)).not.toContain('secret');
  });

  it('in a file that others can read bring a warning with the command that mends it', () => {
    write({ 'cwd/clouds.yaml': cloud('a') }, 0o644);
    expect(load().warnings).toEqual([expect.stringContaining(`chmod 600 ${join(dir, 'cwd/clouds.yaml')}`)]);
  });

  it('elsewhere: a readable clouds.yaml without a password is fine', () => {
    write({ 'cwd/clouds.yaml': cloud('a').replace(/ +password: secret\n/, '') }, 0o644);
    write({ 'cwd/secure.yaml': 'clouds: {a: {auth: {password: p}}}' });
    expect(load().warnings).toEqual([]);
  });
});

describe('what is missing is told before anything is sent', () => {
  const base = { OS_AUTH_URL: 'https://k:5000/v3', OS_USERNAME: 'u', OS_PASSWORD: 'p', OS_USER_DOMAIN_ID: 'default' };
  it.each<[string, Record<string, string>, string]>([
    ['a user', { OS_USERNAME: '' }, 'OS_USERNAME'],
    ['the domain of the user', { OS_USER_DOMAIN_ID: '' }, 'OS_USER_DOMAIN_NAME'],
    ['the domain of the project', { OS_PROJECT_NAME: 'x' }, 'OS_PROJECT_DOMAIN_NAME'],
    ['a URL', { OS_AUTH_URL: 'keystone:5000' }, 'https://host:5000/v3'],
    [
      'the auth_type of an application credential',
      { OS_USERNAME: '', OS_APPLICATION_CREDENTIAL_ID: 'i' },
      'v3applicationcredential',
    ],
    [
      'the secret',
      { OS_AUTH_TYPE: 'v3applicationcredential', OS_APPLICATION_CREDENTIAL_ID: 'i' },
      'application_credential_secret',
    ],
    ['the methods', { OS_AUTH_TYPE: 'v3multifactor' }, 'auth_methods'],
    ['an endpoint', { OS_AUTH_TYPE: 'none' }, 'endpoint'],
    ['a token', { OS_AUTH_TYPE: 'v3token' }, 'OS_TOKEN'],
    [
      'an access token',
      { OS_AUTH_TYPE: 'v3oidcaccesstoken', OS_IDENTITY_PROVIDER: 'i', OS_PROTOCOL: 'p' },
      'access_token',
    ],
  ])('%s', (_, change, hint) => {
    const found = problem({ env: { ...base, ...change } });
    expect(found.hint).toContain(hint);
    expect(found.what).toMatch(/^Cloud envvars: /);
  });

  it('but a missing password is not: it may be asked', () => {
    expect(load({ env: { ...base, OS_PASSWORD: '' } }).auth.password).toBeUndefined();
  });
});
