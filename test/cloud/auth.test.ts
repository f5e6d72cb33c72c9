import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { rescopeBody, signInBody } from '../../src/cloud/auth/body.ts';
import { authKind } from '../../src/cloud/auth/kinds.ts';
import { identityOf, tokenSchema } from '../../src/cloud/auth/token.ts';
import { openstackTokenIssuer } from '../../src/cloud/auth/token-issue.ts';
import { loadCloudConfig } from './support/config.ts';
import { fixture } from './support/fake-openstack.ts';

const user = {
  OS_AUTH_URL: 'https://k:5000/v3',
  OS_USERNAME: 'demo',
  OS_USER_DOMAIN_NAME: 'Default',
  OS_PASSWORD: 'pw',
};
const project = { OS_PROJECT_NAME: 'shop', OS_PROJECT_DOMAIN_ID: 'default' };

async function bodyOf(
  env: Record<string, string>,
  ask?: (prompt: string) => Promise<string | undefined>,
): Promise<unknown> {
  const body = await signInBody(loadCloudConfig(env), ask);
  if (!body.ok) throw new Error(`${body.error.what}; ${body.error.fix}`);
  return JSON.parse(body.value);
}

const demo = { name: 'demo', domain: { name: 'Default' } };

describe('the body of a sign-in', () => {
  it.each<[string, Record<string, string>, unknown]>([
    [
      'password for a project by name',
      { ...user, ...project },
      {
        auth: {
          identity: { methods: ['password'], password: { user: { ...demo, password: 'pw' } } },
          scope: { project: { name: 'shop', domain: { id: 'default' } } },
        },
      },
    ],
    [
      'password of a user by id for a project by id',
      {
        OS_AUTH_TYPE: 'v3password',
        OS_AUTH_URL: 'https://k',
        OS_USER_ID: 'u1',
        OS_PASSWORD: 'pw',
        OS_PROJECT_ID: 'p1',
      },
      {
        auth: {
          identity: { methods: ['password'], password: { user: { id: 'u1', password: 'pw' } } },
          scope: { project: { id: 'p1' } },
        },
      },
    ],
    [
      'password for a domain',
      { ...user, OS_DOMAIN_NAME: 'Corp' },
      {
        auth: {
          identity: { methods: ['password'], password: { user: { ...demo, password: 'pw' } } },
          scope: { domain: { name: 'Corp' } },
        },
      },
    ],
    [
      'password for the system',
      { ...user, OS_SYSTEM_SCOPE: 'all' },
      {
        auth: {
          identity: { methods: ['password'], password: { user: { ...demo, password: 'pw' } } },
          scope: { system: { all: true } },
        },
      },
    ],
    [
      'password for no scope',
      user,
      { auth: { identity: { methods: ['password'], password: { user: { ...demo, password: 'pw' } } } } },
    ],
    [
      'a token for another project',
      { OS_AUTH_TYPE: 'v3token', OS_AUTH_URL: 'https://k', OS_TOKEN: 't0', ...project },
      {
        auth: {
          identity: { methods: ['token'], token: { id: 't0' } },
          scope: { project: { name: 'shop', domain: { id: 'default' } } },
        },
      },
    ],
    [
      'an application credential by id, which carries its own scope',
      {
        OS_AUTH_TYPE: 'v3applicationcredential',
        OS_AUTH_URL: 'https://k',
        OS_APPLICATION_CREDENTIAL_ID: 'ac1',
        OS_APPLICATION_CREDENTIAL_SECRET: 's',
        OS_PROJECT_ID: 'left-over',
      },
      {
        auth: { identity: { methods: ['application_credential'], application_credential: { id: 'ac1', secret: 's' } } },
      },
    ],
    [
      'an application credential by name, with its user',
      {
        OS_AUTH_TYPE: 'v3applicationcredential',
        OS_AUTH_URL: 'https://k',
        OS_APPLICATION_CREDENTIAL_NAME: 'ci',
        OS_APPLICATION_CREDENTIAL_SECRET: 's',
        OS_USERNAME: 'demo',
        OS_USER_DOMAIN_NAME: 'Default',
      },
      {
        auth: {
          identity: {
            methods: ['application_credential'],
            application_credential: { name: 'ci', user: demo, secret: 's' },
          },
        },
      },
    ],
    [
      'a one-time passcode',
      { ...user, ...project, OS_AUTH_TYPE: 'v3totp', OS_PASSCODE: '123456' },
      {
        auth: {
          identity: { methods: ['totp'], totp: { user: { ...demo, passcode: '123456' } } },
          scope: { project: { name: 'shop', domain: { id: 'default' } } },
        },
      },
    ],
    [
      'several factors',
      { ...user, OS_AUTH_TYPE: 'v3multifactor', OS_AUTH_METHODS: 'v3password,v3totp', OS_PASSCODE: '123456' },
      {
        auth: {
          identity: {
            methods: ['password', 'totp'],
            password: { user: { ...demo, password: 'pw' } },
            totp: { user: { ...demo, passcode: '123456' } },
          },
        },
      },
    ],
  ])('%s', async (_, env, expected) => {
    expect(await bodyOf(env)).toEqual(expected);
  });

  it('asks for a password that is not configured, and names who for', async () => {
    const prompts: string[] = [];
    const body = await bodyOf({ ...user, OS_PASSWORD: '' }, async (prompt) => {
      prompts.push(prompt);
      return 'typed';
    });
    expect(body).toMatchObject({ auth: { identity: { password: { user: { password: 'typed' } } } } });
    expect(prompts).toEqual(['Password of demo (cloud envvars): ']);
  });

  it('says what to set when nobody can be asked', async () => {
    const body = await signInBody(loadCloudConfig({ ...user, OS_PASSWORD: '' }));
    expect(body).toEqual({
      ok: false,
      error: {
        what: 'cloud envvars has no password for demo',
        fix: 'set auth.password in secure.yaml, or OS_PASSWORD',
      },
    });
  });

  it('of a token that is exchanged carries the scope', () => {
    expect(JSON.parse(rescopeBody('t1', { project_id: 'p' }))).toEqual({
      auth: { identity: { methods: ['token'], token: { id: 't1' } }, scope: { project: { id: 'p' } } },
    });
  });
});

describe('auth_type', () => {
  it.each([
    ['password', 'password'],
    ['v3password', 'password'],
    ['', 'none'],
    ['None', 'none'],
    ['http_basic', 'http-basic'],
    ['v3oidcaccesstoken', 'oidc-access-token'],
    ['v3kerberos', 'exec'],
    ['v3oidcpassword', 'exec'],
    ['v2password', 'exec'],
  ])('%j is handled by %s', (type, kind) => {
    expect(authKind(type)).toBe(kind);
  });
});

describe('who the token is for', () => {
  const identity = (change: (token: Record<string, unknown>) => void) => {
    const document = structuredClone(fixture('token')) as { token: Record<string, unknown> };
    change(document.token);
    return identityOf(tokenSchema.parse(document));
  };

  it('is read from a recorded answer of Keystone', () => {
    expect(identity(() => {})).toEqual({
      user: { id: 'd85aa48186dc42eca1b3f3de9210c573', name: 'admin', domain: 'Default' },
      project: { id: '903bf75833b0432eab8495e54140a54f', name: 'admin', domain: 'Default' },
      scope: 'project',
      roles: ['reader', 'admin', 'member'],
      expiresAt: '2026-11-22T00:52:50.000000Z',
      isAdmin: true,
    });
  });

  it.each<[string, (token: Record<string, unknown>) => void, object]>([
    [
      'a member is no admin',
      (token) => {
        token.roles = [{ name: 'member' }];
      },
      { isAdmin: false },
    ],
    [
      'the admin project makes one',
      (token) => {
        token.roles = [];
        token.is_admin_project = true;
      },
      { isAdmin: true },
    ],
    [
      'system scope',
      (token) => {
        delete token.project;
        token.system = { all: true };
      },
      { scope: 'system' },
    ],
    [
      'domain scope',
      (token) => {
        delete token.project;
        token.domain = { id: 'd', name: 'Corp' };
      },
      { scope: 'domain' },
    ],
    [
      'no scope',
      (token) => {
        delete token.project;
        delete token.roles;
      },
      { scope: 'unscoped', roles: [], isAdmin: false },
    ],
  ])('%s', (_, change, expected) => {
    expect(identity(change)).toMatchObject(expected);
  });
});

describe('sign-in through the openstack client', () => {
  let dir: string;
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'osd-issue-'));
  });
  afterEach(() => rmSync(dir, { recursive: true, force: true }));

  const program = (script: string): string => {
    const path = join(dir, 'openstack');
    writeFileSync(path, `#!/bin/sh\n${script}\n`);
    chmodSync(path, 0o755);
    return path;
  };
  const env = { PATH: process.env.PATH, OS_PASSWORD: 'canary-secret' };

  it('passes the name of the cloud in argv and the rest in the environment', async () => {
    const path = program(
      `echo "$@" > ${dir}/argv; echo "$OS_PASSWORD" > ${dir}/env; echo '{"id": "tok", "expires": "x"}'`,
    );
    expect(await openstackTokenIssuer({ cloud: 'my cloud', env, program: path })()).toEqual({ ok: true, value: 'tok' });
    expect(readFileSync(join(dir, 'argv'), 'utf8')).toBe('--os-cloud my cloud token issue -f json\n');
    expect(readFileSync(join(dir, 'env'), 'utf8')).toBe('canary-secret\n');
  });

  it.each([
    ['echo "Missing value auth-url required" >&2; exit 1', 'Missing value auth-url required'],
    ['exit 3', 'it ended with 3'],
    ['echo hello', 'it printed no token'],
  ])('tells why it failed: %s', async (script, reason) => {
    expect(await openstackTokenIssuer({ env, program: program(script) })()).toEqual({ ok: false, error: reason });
  });

  it('names the package when the client is not installed', async () => {
    const issued = await openstackTokenIssuer({ env, program: join(dir, 'absent') })();
    expect(issued).toMatchObject({ ok: false, error: expect.stringContaining('python3-openstackclient') });
  });
});
