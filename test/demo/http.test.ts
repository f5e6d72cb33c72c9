import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { request as plainRequest } from 'node:http';
import { request as tlsRequest } from 'node:https';
import { afterEach, describe, expect, it } from 'vitest';
import { type DemoCloud, type DemoFaults, startDemoCloud } from '../../src/demo/server.ts';
import { smallBundle } from '../bundle/small-run.ts';

const bundle = await smallBundle();
let demo: DemoCloud;
afterEach(() => demo.close());

const start = async (faults: DemoFaults = {}, tokenSeconds?: number): Promise<DemoCloud> => {
  demo = await startDemoCloud(bundle, { faults, ...(tokenSeconds === undefined ? {} : { tokenSeconds }) });
  return demo;
};

const credentials = (user: Record<string, string>) =>
  JSON.stringify({ auth: { identity: { methods: ['password'], password: { user } } } });

interface Catalog {
  readonly type: string;
  readonly endpoints: readonly { readonly interface: string; readonly url: string }[];
}

/** Signs in as the environment says, and follows the catalog as a client would. */
async function signedIn() {
  const answer = await fetch(`${demo.authUrl}/auth/tokens`, {
    method: 'POST',
    body: credentials({ name: demo.env.OS_USERNAME ?? '', password: demo.env.OS_PASSWORD ?? '' }),
  });
  const token = answer.headers.get('x-subject-token') ?? '';
  const body = (await answer.json()) as { token: { catalog: readonly Catalog[] } };
  const endpoint = (type: string): string =>
    body.token.catalog.find((one) => one.type === type)?.endpoints.find((one) => one.interface === 'public')?.url ?? '';
  const get = (url: string, microversion?: string) =>
    fetch(url, {
      headers: {
        'X-Auth-Token': token,
        ...(microversion ? { 'OpenStack-API-Version': `compute ${microversion}` } : {}),
      },
    });
  return { status: answer.status, token, endpoint, get };
}

const servers = '/servers/detail?name=web-1&all_tenants=1';

describe('the demo cloud', () => {
  it('signs its one user in, and leads to services on loopback', async () => {
    await start();
    const session = await signedIn();
    expect(session.status).toBe(201);
    for (const type of ['compute', 'network', 'image', 'placement', 'identity']) {
      expect(new URL(session.endpoint(type)).hostname).toBe('127.0.0.1');
    }
    const answer = await session.get(`${session.endpoint('compute')}${servers}`, '2.93');
    const text = await answer.text();
    expect(text).toContain('"web-1"');
    expect(text).toContain(`${new URL(session.endpoint('compute')).origin}/v2.1/servers/`);
    expect(text).not.toContain('http://ctl');
    expect(answer.headers.get('x-openstack-request-id')).toBe('req-1');
  });

  it('tells an openstack client how to sign in, with a password of this start', async () => {
    const { env } = await start();
    expect(env).toMatchObject({
      OS_USERNAME: 'admin',
      OS_PROJECT_NAME: 'admin',
      OS_REGION_NAME: 'RegionOne',
      OS_AUTH_URL: demo.authUrl,
    });
    expect(env.OS_PASSWORD?.length).toBeGreaterThan(20);
    expect(demo.startedAt).toBe(bundle.manifest.startedAt);
  });

  it('answers nobody without a token, with a wrong one or an expired one', async () => {
    await start();
    const { endpoint, get } = await signedIn();
    const url = `${endpoint('compute')}${servers}`;
    expect((await fetch(url)).status).toBe(401);
    expect((await fetch(url, { headers: { 'X-Auth-Token': 'gAAAAAwrong' } })).status).toBe(401);
    expect((await get(url, '2.93')).status).toBe(200);
    await demo.close();
    await start({}, 0);
    const late = await signedIn();
    expect((await late.get(`${late.endpoint('compute')}${servers}`, '2.93')).status).toBe(401);
  });

  it('refuses a wrong password and a wrong user', async () => {
    await start();
    const attempt = async (user: Record<string, string>) =>
      (await fetch(`${demo.authUrl}/auth/tokens`, { method: 'POST', body: credentials(user) })).status;
    expect(await attempt({ name: 'admin', password: 'wrong' })).toBe(401);
    expect(await attempt({ name: 'root', password: demo.env.OS_PASSWORD ?? '' })).toBe(401);
    expect((await fetch(`${demo.authUrl}/auth/tokens`, { method: 'POST', body: 'not json' })).status).toBe(401);
  });

  it('shows what it showed without a token', async () => {
    await start();
    const answer = await fetch(demo.authUrl);
    expect(await answer.json()).toMatchObject({ version: { links: [{ href: `${demo.authUrl}/` }] } });
  });

  it('reads the console and changes nothing', async () => {
    await start();
    const { endpoint, token } = await signedIn();
    const act = (body: unknown) =>
      fetch(`${endpoint('compute')}/servers/1/action`, {
        method: 'POST',
        headers: { 'X-Auth-Token': token, 'OpenStack-API-Version': 'compute 2.93' },
        body: JSON.stringify(body),
      });
    expect(await (await act({ 'os-getConsoleOutput': { length: 50 } })).json()).toEqual({ output: 'login: ' });
    expect((await act({ reboot: { type: 'HARD' } })).status).toBe(405);
    expect((await fetch(endpoint('compute'), { method: 'DELETE' })).status).toBe(405);
  });

  it('begins anew with every sign-in', async () => {
    await start();
    for (let run = 0; run < 2; run += 1) {
      const session = await signedIn();
      const agents = `${session.endpoint('network')}/v2.0/agents`;
      expect(await (await session.get(agents)).text()).toContain('binary');
      expect(await (await session.get(agents)).text()).toBe('{"agents":[]}');
    }
  });

  it('says what the bundle does not hold, and breaks off where the recorded cloud did', async () => {
    await start();
    const session = await signedIn();
    const absent = await session.get(`${session.endpoint('network')}/v2.0/trunks?limit=1`);
    expect(absent.status).toBe(501);
    expect(await absent.text()).toContain('not in this bundle: GET /v2.0/trunks?limit=1');
    await expect(session.get(`${session.endpoint('placement')}/resource_providers`)).rejects.toThrow();
  });

  it('leaves nothing behind', async () => {
    await start();
    const url = demo.authUrl;
    const before = performance.now();
    await demo.close();
    expect(performance.now() - before).toBeLessThan(200);
    await expect(fetch(url)).rejects.toThrow();
    expect(() => readFileSync(demo.userKeyPath)).toThrow(/ENOENT/);
  });
});

describe('on request it', () => {
  it('forgets a token once', async () => {
    await start({ http: [{ do: 'status', status: 401, times: 1 }] });
    const first = await signedIn();
    const url = `${first.endpoint('compute')}${servers}`;
    expect((await first.get(url, '2.93')).status).toBe(401);
    expect((await first.get(url, '2.93')).status).toBe(401);
    expect((await (await signedIn()).get(url, '2.93')).status).toBe(200);
  });

  it('forbids a path', async () => {
    await start({ http: [{ do: 'status', status: 403, path: '/v2.0/agents' }] });
    const { endpoint, get } = await signedIn();
    expect((await get(`${endpoint('network')}/v2.0/agents`)).status).toBe(403);
    expect((await get(`${endpoint('network')}/v2.0/ports?fields=id&device_id=1`)).status).toBe(200);
  });

  it('asks for patience, fails, and is slow', async () => {
    await start({
      http: [
        { do: 'status', status: 429, path: '/ports', retryAfter: 7 },
        { do: 'status', status: 500, path: '/agents', times: 1 },
        { do: 'slow', path: '/servers', ms: 120 },
      ],
    });
    const { endpoint, get } = await signedIn();
    const busy = await get(`${endpoint('network')}/v2.0/ports?fields=id&device_id=1`);
    expect([busy.status, busy.headers.get('retry-after')]).toEqual([429, '7']);
    const agents = `${endpoint('network')}/v2.0/agents`;
    expect([(await get(agents)).status, (await get(agents)).status]).toEqual([500, 200]);
    const before = performance.now();
    expect((await get(`${endpoint('compute')}${servers}`, '2.93')).status).toBe(200);
    expect(performance.now() - before).toBeGreaterThan(110);
  });

  it('does not wait for a slow answer when it closes', async () => {
    await start({ http: [{ do: 'slow', ms: 60_000 }] });
    const pending = plainRequest(demo.authUrl, { agent: false });
    const gone = once(pending, 'error');
    pending.end();
    await once(pending, 'finish');
    const before = performance.now();
    await demo.close();
    expect(await gone).toMatchObject([{ code: 'ECONNRESET' }]);
    expect(performance.now() - before).toBeLessThan(200);
  });

  it('cuts JSON short and resets connections', async () => {
    await start({
      http: [
        { do: 'truncate', path: '/ports' },
        { do: 'reset', path: '/agents' },
      ],
    });
    const { endpoint, get } = await signedIn();
    const cut = await (await get(`${endpoint('network')}/v2.0/ports?fields=id&device_id=1`)).text();
    expect(() => JSON.parse(cut)).toThrow();
    await expect(get(`${endpoint('network')}/v2.0/agents`)).rejects.toThrow();
  });

  it('gives collections in pages that together are the whole', async () => {
    await start({ http: [{ do: 'page', size: 2 }] });
    const { endpoint, get } = await signedIn();
    interface Page {
      readonly ports: readonly { readonly id: string }[];
      readonly ports_links?: readonly { readonly rel: string; readonly href: string }[];
    }
    const ids: string[] = [];
    let url: string | undefined = `${endpoint('network')}/v2.0/ports?fields=id&device_id=1`;
    let pages = 0;
    while (url !== undefined) {
      const page: Page = (await (await get(url)).json()) as Page;
      expect(page.ports.length).toBeLessThanOrEqual(2);
      ids.push(...page.ports.map((port) => port.id));
      url = page.ports_links?.find((link) => link.rel === 'next')?.href;
      pages += 1;
    }
    const recorded = bundle.api.find((record) => record.url.includes('/ports?'));
    const all = recorded?.outcome.ok ? (JSON.parse(recorded.outcome.value.body) as Page) : { ports: [] };
    expect(pages).toBeGreaterThan(1);
    expect(ids).toEqual(all.ports.map((port) => port.id));
  });

  it('refuses the right password', async () => {
    await start({ http: [{ do: 'refuse-password' }] });
    expect((await signedIn().catch(() => ({ status: 401 }))).status).toBe(401);
  });

  it('serves HTTPS that only its own certificate vouches for', async () => {
    await start({ http: [{ do: 'self-signed' }] });
    expect(demo.authUrl).toMatch(/^https:\/\/127\.0\.0\.1:/);
    await expect(fetch(demo.authUrl)).rejects.toMatchObject({ cause: { code: 'DEPTH_ZERO_SELF_SIGNED_CERT' } });
    const ca = readFileSync(demo.caPath ?? '');
    const status = await new Promise((resolve, reject) => {
      tlsRequest(demo.authUrl, { ca, agent: false }, (answer) => resolve(answer.resume().statusCode))
        .on('error', reject)
        .end();
    });
    expect(status).toBe(200);
  });

  it('names things in hostile ways', async () => {
    const to = 'web-1\u001b[31m\u0007\u202e';
    await start({ rename: [{ from: 'web-1', to }] });
    const { endpoint, get } = await signedIn();
    const url = `${endpoint('compute')}/servers/detail?all_tenants=1&name=${encodeURIComponent(to)}`;
    const answer = (await (await get(url, '2.93')).json()) as { servers: readonly { name: string }[] };
    expect(answer.servers.map((server) => server.name)).toContain(to);
  });
});
