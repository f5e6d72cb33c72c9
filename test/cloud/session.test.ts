import { readFileSync } from 'node:fs';
import { createServer as createHttpsServer } from 'node:https';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { Answer, Cloud, GetRequest, ListRequest } from '../../src/cloud/cloud.ts';
import { type CloudParts, openCloud } from '../../src/cloud/session.ts';
import { createHttpClient } from '../../src/cloud/undici-client.ts';
import type { Clock } from '../../src/engine/clock.ts';
import { wallClock } from '../../src/engine/clock.ts';
import type { FactFailure } from '../../src/engine/failure.ts';
import { ok, type Result } from '../../src/engine/result.ts';
import { Waves } from '../../src/engine/waves.ts';
import { FakeOpenstack, fixture } from './support/fake-openstack.ts';

let fake: FakeOpenstack;
let waves: Waves;
const stops: (() => Promise<unknown>)[] = [];

beforeEach(async () => {
  waves = new Waves();
  fake = await new FakeOpenstack().start();
  stops.push(() => fake.stop());
});
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop();
});

type Changes = Partial<Omit<CloudParts, 'http'>> & { readonly env?: Readonly<Record<string, string>> };

function open({ env = {}, ...parts }: Changes = {}): Cloud {
  const config = parts.config ?? fake.config(env);
  const http = createHttpClient({ ...config.tls, timeoutMs: config.timeoutMs, env: {} });
  const cloud = openCloud({ config, http, waves, clock: wallClock, ...parts });
  stops.push(() => cloud.close());
  return cloud;
}

const thing = z.looseObject({ id: z.string() });
const port: GetRequest<unknown> = { service: 'network', path: '/ports/p1', schema: z.looseObject({ port: thing }) };
const ports: ListRequest<{ id: string }> = { service: 'network', path: '/ports', items: 'ports', schema: thing };
const servers: ListRequest<{ id: string }> = {
  service: 'compute',
  path: '/servers/detail',
  items: 'servers',
  schema: thing,
};
const signInPath = 'POST /identity/v3/auth/tokens';
const portPath = 'GET /network/v2.0/ports/p1';
const somePort = { body: { port: { id: 'p1' } } };

async function got<T>(answer: Promise<Result<Answer<T>, FactFailure>>): Promise<T> {
  const result = await answer;
  if (!result.ok) throw new Error(JSON.stringify(result.error));
  return result.value.value;
}

describe('signing in', () => {
  it('happens once, however many ask at once, and only when somebody asks', async () => {
    fake.on(portPath, () => somePort);
    const cloud = open();
    expect(cloud.requests).toBe(0);
    await Promise.all([cloud.identity(), cloud.endpoints(), ...Array.from({ length: 10 }, () => cloud.get(port))]);
    expect(fake.count(signInPath)).toBe(1);
    expect(cloud.requests).toBe(11);
  });

  it('tells who we are without the token', async () => {
    const answer = await open().identity();
    expect(answer).toMatchObject({
      ok: true,
      value: {
        value: { user: { name: 'admin' }, project: { name: 'admin' }, scope: 'project', isAdmin: true },
        evidence: {
          source: { method: 'POST', path: '/v3/auth/tokens', status: 201, requestId: 'req-00000000-sign-in' },
        },
      },
    });
    expect(JSON.stringify(answer)).not.toMatch(/test-token|open-sesame/);
  });

  it('is done anew, once, when a token is refused in the middle of a run', async () => {
    fake.on(portPath, (seen) =>
      seen.headers['x-auth-token'] === 'test-token-1' ? { status: 401, body: {} } : somePort,
    );
    const cloud = open();
    const answers = await Promise.all(Array.from({ length: 5 }, () => cloud.get(port)));
    expect(answers.every((answer) => answer.ok)).toBe(true);
    expect(fake.count(signInPath)).toBe(2);
  });

  it('gives up when the new token is refused too', async () => {
    fake.on(portPath, () => ({ status: 401, body: { error: { code: 401, message: 'Expired' } } }));
    expect(await open().get(port)).toMatchObject({ ok: false, error: { kind: 'api', status: 401, detail: 'Expired' } });
    expect(fake.count(portPath)).toBe(2);
  });

  it('with a wrong password says who was refused and where the password stands, and is not tried again at once', async () => {
    const body = {
      error: { code: 401, title: 'Unauthorized', message: 'The request you have made requires authentication.' },
    };
    fake.on(signInPath, () => ({ status: 401, headers: { 'x-openstack-request-id': 'req-1' }, body }));
    let now = 1_000_000;
    const clock: Clock = { now: () => now };
    const cloud = open({ clock });
    const first = await cloud.identity();
    expect(first).toEqual({
      ok: false,
      error: {
        kind: 'api',
        service: 'identity',
        what: 'sign-in',
        status: 401,
        detail:
          'Keystone refused user admin for project admin (401): The request you have made requires authentication; ' +
          'check password, project and domains of cloud envvars (OS_PASSWORD)',
        requestId: 'req-1',
      },
    });
    expect(await cloud.get(port)).toEqual(first);
    expect(fake.count(signInPath)).toBe(1);
    now += 31_000;
    await cloud.get(port);
    expect(fake.count(signInPath)).toBe(2);
  });

  it('asks for a password that is not configured, once', async () => {
    fake.on(portPath, () => somePort);
    const prompts: string[] = [];
    const ask = async (prompt: string) => {
      prompts.push(prompt);
      return 'typed';
    };
    const cloud = open({ env: { OS_PASSWORD: '' }, ask });
    await Promise.all([cloud.identity(), cloud.get(port)]);
    expect(prompts).toHaveLength(1);
    expect(fake.seen[0]?.body).toContain('typed');
  });

  it('without a password and without anybody to ask sends nothing', async () => {
    const answer = await open({ env: { OS_PASSWORD: '' } }).identity();
    expect(answer).toMatchObject({ ok: false, error: { kind: 'api', detail: expect.stringContaining('OS_PASSWORD') } });
    expect(fake.seen).toEqual([]);
  });

  it('finds Keystone by its list of versions when auth_url is one path short', async () => {
    const body = {
      versions: { values: [{ id: 'v3.14', links: [{ rel: 'self', href: `${fake.url}/identity/v3/` }] }] },
    };
    fake.on('GET /', () => ({ status: 300, body }));
    expect(await open({ env: { OS_AUTH_URL: fake.url } }).identity()).toMatchObject({ ok: true });
    expect(fake.seen.map((seen) => `${seen.method} ${seen.url}`)).toEqual([
      'POST /v3/auth/tokens',
      'GET /',
      signInPath,
    ]);
  });

  it('never carries the password to another host that such a list names', async () => {
    const body = { versions: { values: [{ id: 'v3.14', links: [{ rel: 'self', href: 'http://localhost:1/v3/' }] }] } };
    fake.on('GET /', () => ({ status: 300, body }));
    const answer = await open({ env: { OS_AUTH_URL: fake.url } }).identity();
    expect(answer).toMatchObject({
      ok: false,
      error: { status: 404, detail: expect.stringContaining('check auth_url') },
    });
  });

  it('at something that is not Keystone says so', async () => {
    fake.on(signInPath, () => ({ status: 200, body: '<html>Welcome</html>' }));
    expect(await open().identity()).toMatchObject({
      ok: false,
      error: { kind: 'shape', detail: expect.stringContaining('auth_url') },
    });
  });

  it('through the openstack client asks Keystone what the token is worth', async () => {
    fake.on('GET /identity/v3/auth/tokens', () => ({ ...fake.token(), status: 200 }));
    fake.on(portPath, () => somePort);
    const cloud = open({ env: { OS_AUTH_TYPE: 'v3kerberos' }, issueToken: async () => ok('issued') });
    expect(await cloud.identity()).toMatchObject({ ok: true, value: { value: { user: { name: 'admin' } } } });
    await cloud.get(port);
    expect(fake.count(signInPath)).toBe(0);
    expect(fake.seen.map((seen) => seen.headers['x-auth-token'])).toEqual(['issued', 'issued']);
  });

  it('with an OIDC access token exchanges the unscoped token for a scoped one', async () => {
    const federated = '/identity/v3/OS-FEDERATION/identity_providers/sso/protocols/openid/auth';
    fake.on(`POST ${federated}`, () => ({ status: 201, headers: { 'x-subject-token': 'unscoped' }, body: {} }));
    const more = {
      OS_AUTH_TYPE: 'v3oidcaccesstoken',
      OS_IDENTITY_PROVIDER: 'sso',
      OS_PROTOCOL: 'openid',
      OS_ACCESS_TOKEN: 'bearer',
    };
    expect(await open({ env: more }).identity()).toMatchObject({ ok: true });
    expect(fake.seen[0]).toMatchObject({
      method: 'POST',
      url: federated,
      body: '',
      headers: { authorization: 'Bearer bearer' },
    });
    expect(JSON.parse(fake.seen[1]?.body ?? '')).toMatchObject({ auth: { identity: { token: { id: 'unscoped' } } } });
  });

  it('is not needed for a standalone service', async () => {
    fake.on('GET /v1/nodes', () => ({ body: { nodes: [{ id: 'n1' }] } }));
    const env = { OS_AUTH_TYPE: 'http_basic', OS_ENDPOINT: fake.url, OS_USERNAME: 'u', OS_PASSWORD: 'p' };
    const cloud = open({ env });
    expect(await got(cloud.list({ service: 'baremetal', path: '/nodes', items: 'nodes', schema: thing }))).toEqual([
      { id: 'n1' },
    ]);
    expect(fake.seen.map((seen) => [seen.url, seen.headers.authorization])).toEqual([['/v1/nodes', 'Basic dTpw']]);
    expect(await cloud.identity()).toMatchObject({ ok: true, value: { value: { scope: 'none', isAdmin: true } } });
  });
});

describe('a service that cannot be reached', () => {
  it('Keystone: nothing listens', async () => {
    const { port: old } = fake;
    const config = fake.config();
    await fake.stop();
    stops.splice(0, 1);
    expect(await open({ config }).identity()).toEqual({
      ok: false,
      error: {
        kind: 'unreachable',
        host: `127.0.0.1:${old}`,
        stage: 'tcp',
        detail: `Keystone at 127.0.0.1:${old}: nothing listens there (connection refused)`,
        fix: 'start the service, or correct the port in auth_url (OS_AUTH_URL)',
      },
    });
  });

  it('Keystone: a certificate that is not trusted names what to set', async () => {
    const tls = (name: string) => readFileSync(new URL(`../fixtures/tls/${name}`, import.meta.url));
    const secure = await new FakeOpenstack(
      createHttpsServer({ cert: tls('server.pem'), key: tls('server.key') }),
    ).start();
    stops.push(() => secure.stop());
    const answer = await open({ env: { OS_AUTH_URL: `https://127.0.0.1:${secure.port}/identity/v3` } }).identity();
    expect(answer).toMatchObject({
      ok: false,
      error: {
        kind: 'unreachable',
        stage: 'handshake',
        fix: expect.stringMatching(/cacert.*OS_CACERT.*verify: false/),
      },
    });
    expect(secure.seen).toEqual([]);
  });

  it('Keystone: no answer', async () => {
    fake.on(signInPath, () => ({ raw: () => {} }));
    const answer = await open({ env: { OS_API_TIMEOUT: '0.1' } }).identity();
    expect(answer).toMatchObject({
      ok: false,
      error: { kind: 'unreachable', stage: 'timeout', fix: expect.stringContaining('auth_url') },
    });
  });

  it('another one: no answer is a timeout in seconds', async () => {
    fake.on(portPath, () => ({ raw: () => {} }));
    const answer = await open({ env: { OS_API_TIMEOUT: '0.8' } }).get(port);
    const what = `network GET /ports/p1 at 127.0.0.1:${fake.port}`;
    expect(answer).toEqual({ ok: false, error: { kind: 'timeout', what, seconds: 0.8 } });
  });
});

describe('an answer that is an error', () => {
  const failing = async (reply: object) => {
    fake.on(portPath, () => reply);
    const answer = await open().get(port);
    if (answer.ok) throw new Error('expected a failure');
    return answer.error;
  };

  it('404 is not-found', async () => {
    expect(await failing({ status: 404, body: fixture('neutron-404') })).toEqual({
      kind: 'not-found',
      what: 'network GET /ports/p1',
    });
  });

  it.each([
    [
      { forbidden: { code: 403, message: "Policy doesn't allow os_compute_api:os-services:list to be performed." } },
      'os_compute_api:os-services:list',
    ],
    [
      { errors: [{ title: 'Forbidden', detail: 'Policy does not allow placement:usages to be performed.' }] },
      'placement:usages',
    ],
    [
      { error: { message: 'You are not authorized to perform the requested action: identity:list_users.' } },
      'identity:list_users',
    ],
    [{ NeutronError: { message: '(rule:get_agent) is disallowed by policy' } }, 'get_agent'],
  ])('403 names the role, and the policy %j', async (body, policy) => {
    expect(await failing({ status: 403, body })).toEqual({
      kind: 'forbidden',
      what: 'network GET /ports/p1',
      need: `role admin, or reader with system scope, or a policy that grants ${policy}`,
    });
  });

  it('5xx carries the message and the id to look for in the log', async () => {
    const headers = { 'x-compute-request-id': 'req-42' };
    const body = { computeFault: { code: 500, message: 'Unexpected API Error.<br />DBConnectionError\u001b[31m' } };
    expect(await failing({ status: 500, headers, body })).toEqual({
      kind: 'api',
      service: 'network',
      what: 'GET /ports/p1',
      status: 500,
      detail: 'Unexpected API Error. DBConnectionError [31m',
      requestId: 'req-42',
    });
  });

  it('an HTML page of a load balancer is put in words', async () => {
    const body = '<html><head><title>x</title></head><body><h1>504 Gateway Time-out</h1></body></html>';
    expect(await failing({ status: 504, body })).toMatchObject({ status: 504, detail: '504 Gateway Time-out' });
  });

  it.each([
    ['cut off', '{"port": {"id": "p', 'the answer is not JSON, or was cut short'],
    ['HTML', '<html>', 'the answer is not JSON, or was cut short'],
    ['without a field we need', { port: { name: 'x' } }, 'port.id: Invalid input: expected string, received undefined'],
  ])('200 but %s is shape', async (_, body, detail) => {
    expect(await failing({ body })).toEqual({ kind: 'shape', what: 'network GET /ports/p1', detail });
  });

  it('fields that we do not know pass', async () => {
    fake.on(portPath, () => ({ body: { port: { id: 'p1', new_in_2030: [1] }, extra: true } }));
    expect(await got(open().get(port))).toEqual({ port: { id: 'p1', new_in_2030: [1] }, extra: true });
  });
});

describe('a service that asks for patience', () => {
  it.each([429, 503])('%i is tried again after Retry-After', async (status) => {
    fake.on(portPath, (_, count) => (count === 1 ? { status, headers: { 'retry-after': '0' } } : somePort));
    const cloud = open();
    expect(await cloud.get(port)).toMatchObject({ ok: true });
    expect(fake.count(portPath)).toBe(2);
    expect(cloud.requests).toBe(3);
  });

  it('waits as long as it is told', async () => {
    fake.on(portPath, (_, count) => (count === 1 ? { status: 429, headers: { 'retry-after': '1' } } : somePort));
    const cloud = open();
    await cloud.identity();
    const start = performance.now();
    await cloud.get(port);
    expect(performance.now() - start).toBeGreaterThan(950);
  });

  it('is asked three times at most', async () => {
    fake.on(portPath, () => ({ status: 503, headers: { 'retry-after': '0' } }));
    expect(await open().get(port)).toMatchObject({
      ok: false,
      error: { kind: 'api', status: 503, detail: 'the service is not available' },
    });
    expect(fake.count(portPath)).toBe(3);
  });

  it('for longer than ten seconds is not waited for', async () => {
    const body = { overLimit: { code: 429, message: 'Slow down', retryAfter: '3600' } };
    fake.on(portPath, () => ({ status: 429, headers: { 'retry-after': '3600' }, body }));
    expect(await open().get(port)).toMatchObject({ ok: false, error: { status: 429, detail: 'Slow down' } });
    expect(fake.count(portPath)).toBe(1);
  });

  it('does not hold up the end of the run', async () => {
    fake.on(portPath, () => ({ status: 429, headers: { 'retry-after': '9' } }));
    const cloud = open();
    const waiting = cloud.get(port);
    while (fake.count(portPath) === 0) await new Promise(setImmediate);
    await cloud.close();
    expect(await waiting).toMatchObject({ ok: false });
  });
});

describe('pages', () => {
  it('of Nova are followed on our own endpoint, whatever host the link names', async () => {
    fake.on('GET /compute/v2.1/servers/detail', (seen) => {
      const marker = new URL(seen.url, fake.url).searchParams.get('marker');
      if (marker === 's2') return { body: { servers: [{ id: 's3' }] } };
      const href = 'https://internal.invalid:8774/v2.1/servers/detail?limit=2&marker=s2&name=a%26b';
      return { body: { servers: [{ id: 's1' }, { id: 's2' }], servers_links: [{ rel: 'next', href }] } };
    });
    const answer = await open().list({ ...servers, query: { limit: '2', name: 'a&b' } });
    expect(answer).toMatchObject({ ok: true, value: { value: [{ id: 's1' }, { id: 's2' }, { id: 's3' }] } });
    expect(fake.seen.slice(1).map((seen) => seen.url)).toEqual([
      '/compute/v2.1/servers/detail?limit=2&name=a%26b',
      '/compute/v2.1/servers/detail?limit=2&marker=s2&name=a%26b',
    ]);
  });

  it('of Glance are followed by its path', async () => {
    const all = (fixture('images') as { images: { id: string }[] }).images;
    fake.on('GET /image/v2/images', (seen) => {
      const marker = new URL(seen.url, fake.url).searchParams.get('marker');
      const at = marker === null ? 0 : all.findIndex((image) => image.id === marker) + 1;
      const next = at + 1 < all.length ? { next: `/v2/images?limit=1&marker=${all[at]?.id}` } : {};
      return { body: { images: all.slice(at, at + 1), first: '/v2/images?limit=1', ...next } };
    });
    const found = await got(
      open().list({ service: 'image', path: '/images', items: 'images', schema: thing, query: { limit: '1' } }),
    );
    expect(found).toHaveLength(3);
    expect(fake.count('GET /image/v2/images')).toBe(3);
  });

  it('that lead in a circle end', async () => {
    fake.on('GET /network/v2.0/ports', () => ({
      body: { ports: [{ id: 'p' }], ports_links: [{ rel: 'next', href: '/v2.0/ports?marker=p' }] },
    }));
    expect(await got(open().list(ports))).toEqual([{ id: 'p' }, { id: 'p' }]);
    expect(fake.count('GET /network/v2.0/ports')).toBe(2);
  });

  it('stop at the limit of the one who asks', async () => {
    fake.on('GET /network/v2.0/ports', (_, count) => ({
      body: {
        ports: [{ id: `a${count}` }, { id: `b${count}` }],
        ports_links: [{ rel: 'next', href: `?marker=${count}` }],
      },
    }));
    expect(await got(open().list({ ...ports, limit: 3 }))).toEqual([{ id: 'a1' }, { id: 'b1' }, { id: 'a2' }]);
  });

  it('with an item that lacks a field name the item', async () => {
    fake.on('GET /network/v2.0/ports', () => ({ body: { ports: [{ id: 'p' }, { id: null }] } }));
    expect(await open().list(ports)).toMatchObject({
      ok: false,
      error: { kind: 'shape', detail: expect.stringMatching(/^ports\[1\]\.id: /) },
    });
  });

  it('without the list are shape', async () => {
    fake.on('GET /network/v2.0/ports', () => ({ body: { networks: [] } }));
    expect(await open().list(ports)).toMatchObject({
      ok: false,
      error: { kind: 'shape', detail: 'no list `ports` in the answer' },
    });
  });

  it('read a recorded list of Neutron', async () => {
    fake.on('GET /network/v2.0/ports', () => ({ body: fixture('ports') }));
    const recorded = (fixture('ports') as { ports: unknown[] }).ports;
    expect(await got(open().list(ports))).toEqual(recorded);
  });
});

describe('microversions', () => {
  const nova = 'GET /compute/v2.1/servers/detail';
  const old = (seen: { headers: Record<string, unknown> }) => {
    const wanted = String(seen.headers['openstack-api-version']);
    if (wanted !== 'compute 2.93' && wanted !== 'compute 2.79')
      return { status: 406, body: { computeFault: { message: 'too high' } } };
    return { body: { servers: [{ id: wanted }] } };
  };

  it('are sent without asking first, in both headers', async () => {
    fake.on(nova, () => ({ body: { servers: [] } }));
    const cloud = open();
    await cloud.list({ ...servers, microversion: '2.79' });
    expect(cloud.requests).toBe(2);
    expect(fake.seen[1]?.headers).toMatchObject({
      'openstack-api-version': 'compute 2.79',
      'x-openstack-nova-api-version': '2.79',
    });
  });

  it('that are too high are lowered to the maximum of the server, which is asked for once', async () => {
    fake.on(nova, old);
    const cloud = open();
    const high = { ...servers, microversion: '2.100' };
    const first = await Promise.all([cloud.list(high), cloud.list(high), cloud.list(high)]);
    expect(first.every((answer) => answer.ok)).toBe(true);
    expect(fake.count('GET /compute/')).toBe(1);
    const before = cloud.requests;
    expect(await got(cloud.list(high))).toEqual([{ id: 'compute 2.93' }]);
    expect(await got(cloud.list({ ...servers, microversion: '2.79' }))).toEqual([{ id: 'compute 2.79' }]);
    expect(cloud.requests - before).toBe(2);
  });

  it('that are refused for another reason are a failure, not a loop', async () => {
    fake.on(nova, () => ({ status: 406, body: {} }));
    expect(await open().list({ ...servers, microversion: '2.100' })).toMatchObject({
      ok: false,
      error: { status: 406 },
    });
    expect(fake.count(nova)).toBe(2);
  });

  it('are not sent where nobody asked for one', async () => {
    fake.on(nova, () => ({ body: { servers: [] } }));
    await open().list(servers);
    expect(fake.seen[1]?.headers).not.toHaveProperty('openstack-api-version');
  });
});

describe('version documents', () => {
  it.each([
    ['compute', { id: 'v2.1', minMicroversion: '2.1', maxMicroversion: '2.93', release: 'Zed' }],
    ['placement', { id: 'v1.0', minMicroversion: '1.0', maxMicroversion: '1.39' }],
    ['network', { id: 'v2.0' }],
    ['image', { id: 'v2.15' }],
    ['identity', { id: 'v3.14' }],
  ] as const)('of %s', async (service, version) => {
    expect(await got(open().version(service))).toEqual(version);
  });

  it('are asked for anew when the token was refused', async () => {
    fake.on('GET /compute/', (seen) =>
      seen.headers['x-auth-token'] === 'test-token-1' ? { status: 401, body: {} } : { body: fixture('nova-root') },
    );
    expect(await got(open().version('compute'))).toMatchObject({ maxMicroversion: '2.93' });
    expect(fake.count(signInPath)).toBe(2);
  });

  it('are looked for below the version where the root is not passed on', async () => {
    const nova = (fixture('nova-root') as { versions: unknown[] }).versions[1];
    fake.on('GET /compute/', () => ({ status: 404, body: '' }));
    fake.on('GET /compute/v2.1/', () => ({ body: { version: nova } }));
    expect(await got(open().version('compute'))).toMatchObject({ maxMicroversion: '2.93' });
  });
});

describe('the catalog', () => {
  const endpoint = (url: string, more: object = {}) => ({
    interface: 'public',
    region: 'RegionOne',
    region_id: 'RegionOne',
    url,
    ...more,
  });

  it('is shown as the endpoints that were chosen', async () => {
    const endpoints = await got(open().endpoints());
    expect(endpoints.map((found) => `${found.service} ${found.url.replace(fake.url, '')}`)).toEqual([
      'identity /identity/v3/',
      'compute /compute/v2.1',
      'network /network',
      'image /image',
      'placement /placement',
    ]);
  });

  it('with an old name of a service is understood', async () => {
    const catalog = [{ type: 'volumev3', name: 'cinder', endpoints: [endpoint(`${fake.url}/vol/v3/proj`)] }];
    fake.on(signInPath, () => fake.token((token) => Object.assign(token, { catalog })));
    fake.on('GET /vol/v3/proj/volumes', () => ({ body: { volumes: [{ id: 'v' }] } }));
    expect(
      await got(open().list({ service: 'block-storage', path: '/volumes', items: 'volumes', schema: thing })),
    ).toEqual([{ id: 'v' }]);
  });

  it('without the service says what it has', async () => {
    const answer = await open().get({ ...port, service: 'baremetal' });
    const because = 'the catalog has no baremetal service; it has compute, identity, image, network, placement';
    expect(answer).toEqual({ ok: false, error: { kind: 'unsupported', because } });
  });

  it('without the region names the regions it has', async () => {
    const answer = await open({ env: { OS_REGION_NAME: 'regionone' } }).get(port);
    const detail = 'no network endpoint in region regionone; the catalog knows RegionOne';
    expect(answer).toMatchObject({ ok: false, error: { kind: 'api', detail } });
  });

  it('is not there for a token without a project', async () => {
    fake.on(signInPath, () =>
      fake.token((token) => {
        delete token.project;
        delete token.catalog;
      }),
    );
    expect(await open().get(port)).toMatchObject({
      ok: false,
      error: { detail: expect.stringContaining('OS_PROJECT_NAME') },
    });
  });

  it('gives way to an override of the configuration', async () => {
    fake.on('GET /behind/proxy/v2.0/ports/p1', () => somePort);
    const cloud = open({ env: { OS_NETWORK_ENDPOINT_OVERRIDE: `${fake.url}/behind/proxy/` } });
    expect(await cloud.get(port)).toMatchObject({
      ok: true,
      value: { evidence: { source: { path: '/behind/proxy/v2.0/ports/p1' } } },
    });
  });
});

describe('the console', () => {
  const action = 'POST /compute/v2.1/servers/s-1/action';

  it('is asked for by the one action that reads, and its text is not evidence', async () => {
    fake.on(action, () => ({ body: { output: 'login:\npassword: hunter2\n' } }));
    const answer = await open().console('s-1', 50);
    expect(answer).toMatchObject({
      ok: true,
      value: { value: 'login:\npassword: hunter2\n', evidence: { excerpt: '{"lines":3,"bytes":25}' } },
    });
    expect(fake.seen[1]?.body).toBe('{"os-getConsoleOutput":{"length":50}}');
    expect(answer.ok && JSON.stringify(answer.value.evidence)).not.toContain('hunter2');
  });

  it.each([
    [404, { itemNotFound: { message: 'Instance s-1 could not be found.' } }, { kind: 'not-found' }],
    [
      409,
      { conflictingRequest: { message: 'Instance s-1 is not ready' } },
      { kind: 'api', detail: 'Instance s-1 is not ready' },
    ],
    [501, { notImplemented: {} }, { kind: 'unsupported' }],
  ])('%i is told', async (status, body, error) => {
    fake.on(action, () => ({ status, body }));
    expect(await open().console('s-1', 50)).toMatchObject({ ok: false, error });
  });
});

describe('evidence', () => {
  it('says what was asked, when, and by which request', async () => {
    fake.on('GET /compute/v2.1/servers/s1', () => ({
      headers: { 'x-openstack-request-id': 'req-7' },
      body: fixture('server-web-1'),
    }));
    const answer = await open().get({
      service: 'compute',
      path: '/servers/s1',
      schema: z.looseObject({}),
      query: { a: ['1', '2'] },
    });
    if (!answer.ok) throw new Error('expected an answer');
    const { source, at, excerpt } = answer.value.evidence;
    expect(source).toEqual({
      kind: 'api',
      service: 'compute',
      method: 'GET',
      path: '/compute/v2.1/servers/s1?a=1&a=2',
      status: 200,
      requestId: 'req-7',
    });
    expect(Math.abs(Date.now() - Date.parse(at))).toBeLessThan(10_000);
    expect(JSON.parse(excerpt)).toMatchObject({ name: 'web-1', status: 'ACTIVE', 'OS-EXT-SRV-ATTR:host': 'cmp1' });
    expect(excerpt.length).toBeLessThanOrEqual(400);
  });
});

describe('many at once', () => {
  it('are at most eight per service, as many as the pool has connections', async () => {
    let running = 0;
    let most = 0;
    fake.on(portPath, () => ({
      raw: (response) => {
        running += 1;
        most = Math.max(most, running);
        setTimeout(() => {
          running -= 1;
          response.end(JSON.stringify(somePort.body));
        }, 10);
      },
    }));
    const cloud = open();
    await Promise.all(Array.from({ length: 30 }, () => cloud.get(port)));
    expect(most).toBe(8);
  });

  it('keep the wave open from the question to the answer', async () => {
    let during = 0;
    fake.on(portPath, () => {
      during = waves.inFlight;
      return somePort;
    });
    await open().get(port);
    expect(during).toBe(1);
    expect(waves.inFlight).toBe(0);
  });
});

describe('a redirect', () => {
  it('of a read is followed on the same host', async () => {
    fake.on(portPath, () => ({ status: 302, headers: { location: '/network/v2.0/ports/p2' } }));
    fake.on('GET /network/v2.0/ports/p2', () => somePort);
    expect(await open().get(port)).toMatchObject({ ok: true });
  });

  it('to another host is not: it would carry the token there', async () => {
    fake.on(portPath, () => ({ status: 302, headers: { location: 'http://localhost:1/x' } }));
    expect(await open().get(port)).toMatchObject({ ok: false, error: { kind: 'api', status: 302 } });
  });
});
