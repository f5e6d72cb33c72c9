import { readFileSync } from 'node:fs';
import { createServer as createHttpsServer } from 'node:https';
import { createServer, type Socket } from 'node:net';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { HttpClient, HttpRequest } from '../../src/cloud/http.ts';
import { failureOf } from '../../src/cloud/network-errors.ts';
import { createHttpClient, type HttpClientOptions } from '../../src/cloud/undici-client.ts';
import { FakeOpenstack } from './support/fake-openstack.ts';
import { FakeProxy } from './support/proxy.ts';

const tlsFile = (name: string): string => fileURLToPath(new URL(`../fixtures/tls/${name}`, import.meta.url));
const tlsText = (name: string): string => readFileSync(tlsFile(name), 'utf8');

const stops: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
});

function client(options: Partial<HttpClientOptions> = {}): HttpClient {
  const http = createHttpClient({ verify: true, timeoutMs: 5000, env: {}, ...options });
  stops.unshift(() => http.close());
  return http;
}

async function serve(fake = new FakeOpenstack()): Promise<FakeOpenstack> {
  await fake.start();
  stops.push(() => fake.stop());
  return fake;
}

const get = (url: string): HttpRequest => ({
  kind: 'read',
  method: 'GET',
  url,
  headers: { accept: 'application/json' },
});
const signIn = (url: string): HttpRequest => ({
  kind: 'sign-in',
  url: `${url}/identity/v3/auth/tokens`,
  headers: {},
  body: '{"auth":{"identity":{"methods":[]}}}',
});

describe('a request', () => {
  it('comes back with status, lower-case headers, body and times', async () => {
    const fake = await serve();
    fake.on('GET /x', () => ({
      status: 203,
      headers: { 'X-Openstack-Request-Id': 'req-1', 'Set-Cookie': 'a' },
      body: { ok: 'ä' },
    }));
    const answer = await client().request(get(`${fake.url}/x`));
    expect(answer).toMatchObject({
      ok: true,
      value: {
        status: 203,
        headers: { 'x-openstack-request-id': 'req-1' },
        body: '{"ok":"ä"}',
        ms: expect.any(Number),
      },
    });
    if (answer.ok) expect(Date.parse(answer.value.startedAt)).toBeGreaterThan(0);
  });

  it('has a Content-Length and is never chunked, since uWSGI refuses chunks', async () => {
    const fake = await serve();
    const http = client();
    await http.request(signIn(fake.url));
    await http.request({ kind: 'console', url: `${fake.url}/compute/v2.1/servers/a-b/action`, headers: {}, lines: 10 });
    expect(
      fake.seen.map((seen) => [seen.method, seen.headers['content-length'], seen.headers['transfer-encoding']]),
    ).toEqual([
      ['POST', String(fake.seen[0]?.body.length), undefined],
      ['POST', String(fake.seen[1]?.body.length), undefined],
    ]);
    expect(fake.seen[1]?.body).toBe('{"os-getConsoleOutput":{"length":10}}');
  });

  it('shares at most eight connections with others to the same origin', async () => {
    const sockets = new Set<Socket>();
    const fake = await serve();
    fake.on('GET /slow', () => ({
      raw: (response, request) => {
        sockets.add(request.socket);
        setTimeout(() => response.end('{}'), 20);
      },
    }));
    const http = client();
    const answers = await Promise.all(Array.from({ length: 20 }, () => http.request(get(`${fake.url}/slow`))));
    expect(answers.every((answer) => answer.ok)).toBe(true);
    expect(sockets.size).toBe(8);
  });

  it('after close is refused as a value', async () => {
    const http = client();
    await http.close();
    expect(await http.request(get('http://127.0.0.1:1/x'))).toMatchObject({ ok: false, error: { kind: 'other' } });
  });
});

describe('a failure is a value that says what happened', () => {
  it('nothing listens', async () => {
    const fake = await new FakeOpenstack().start();
    const { url, port } = fake;
    await fake.stop();
    expect(await client().request(get(url))).toEqual({
      ok: false,
      error: { kind: 'refused', host: `127.0.0.1:${port}`, detail: 'nothing listens there (connection refused)' },
    });
  });

  it('no answer in time', async () => {
    const fake = await serve();
    fake.on('GET /never', () => ({ raw: () => {} }));
    const answer = await client({ timeoutMs: 150 }).request(get(`${fake.url}/never`));
    expect(answer).toMatchObject({ ok: false, error: { kind: 'timeout', detail: 'no answer within 0.15 s' } });
  });

  it('an answer that drips for ever is stopped too', async () => {
    const fake = await serve();
    fake.on('GET /drip', () => ({
      raw: (response) => {
        const timer = setInterval(() => response.write(' '), 20);
        response.on('close', () => clearInterval(timer));
      },
    }));
    const answer = await client({ timeoutMs: 200 }).request(get(`${fake.url}/drip`));
    expect(answer).toMatchObject({ ok: false, error: { kind: 'timeout' } });
  });

  it('a caller that gives up is no timeout', async () => {
    const fake = await serve();
    fake.on('GET /never', () => ({ raw: () => {} }));
    const stop = new AbortController();
    const answer = client().request(get(`${fake.url}/never`), stop.signal);
    setTimeout(() => stop.abort(), 30);
    expect(await answer).toMatchObject({ ok: false, error: { kind: 'other' } });
  });

  it('an answer above 64 MiB', async () => {
    const fake = await serve();
    fake.on('GET /big', () => ({
      raw: (response) => {
        const chunk = Buffer.alloc(1024 * 1024);
        const write = () => {
          while (!response.destroyed && response.write(chunk));
          if (!response.destroyed) response.once('drain', write);
        };
        write();
      },
    }));
    const answer = await client().request(get(`${fake.url}/big`));
    expect(answer).toMatchObject({
      ok: false,
      error: { kind: 'too-large', detail: 'the answer is larger than 64 MiB' },
    });
  });

  it('an answer that breaks off is tried once more, then told', async () => {
    const fake = await serve();
    fake.on('GET /cut', () => ({
      raw: (response) => {
        response.writeHead(200, { 'content-length': '100' });
        response.write('{"half":', () => response.destroy());
      },
    }));
    const answer = await client().request(get(`${fake.url}/cut`));
    expect(answer).toMatchObject({
      ok: false,
      error: { kind: 'reset', detail: 'the connection was closed by the other side' },
    });
    expect(fake.count('GET /cut')).toBe(2);
  });

  it.each([
    ['ENOTFOUND', 'dns', 'the name api.example.com does not exist'],
    ['EAI_AGAIN', 'dns', 'no name server answers'],
    ['EHOSTUNREACH', 'other', 'no route to the host'],
    ['ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED', 'tls', 'it asks for a client certificate: set cert and key'],
    ['UND_ERR_CONNECT_TIMEOUT', 'timeout', 'nobody answers at that address'],
  ])('%s is %s', (code, kind, words) => {
    const members = [Object.assign(new Error('x'), { code, hostname: 'api.example.com' })];
    const error = Object.assign(new AggregateError(members), { code: 'NONE' });
    const failure = failureOf(error, new URL('https://api.example.com/v3'), {
      timedOut: false,
      seconds: 1,
      proxy: undefined,
    });
    expect(failure).toMatchObject({ kind, host: 'api.example.com:443', detail: expect.stringContaining(words) });
  });
});

describe('a kept-alive connection that the server gave up', () => {
  /** Answers the first request of the first connection; every other request on it gets a reset. */
  async function forgetful(): Promise<{ url: string; requests: () => number }> {
    let connections = 0;
    let requests = 0;
    const server = createServer((socket) => {
      connections += 1;
      const first = connections === 1;
      let answered = false;
      socket.on('error', () => {});
      socket.on('data', () => {
        requests += 1;
        if (first && answered) return socket.resetAndDestroy();
        answered = true;
        socket.write('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}');
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    stops.push(() => new Promise((resolve) => server.close(resolve)));
    return { url: `http://127.0.0.1:${(server.address() as { port: number }).port}`, requests: () => requests };
  }

  it('costs a read nothing but a second try', async () => {
    const { url, requests } = await forgetful();
    const http = client();
    expect(await http.request(get(url))).toMatchObject({ ok: true });
    expect(await http.request(get(url))).toMatchObject({ ok: true, value: { body: '{}' } });
    expect(requests()).toBe(3);
  });

  it('is told to a sign-in, which is never sent twice', async () => {
    const { url, requests } = await forgetful();
    const http = client();
    await http.request(get(url));
    expect(await http.request(signIn(url))).toMatchObject({ ok: false, error: { kind: 'reset' } });
    expect(requests()).toBe(2);
  });
});

describe('TLS', () => {
  const https = (name: string, more: object = {}) =>
    serve(new FakeOpenstack(createHttpsServer({ cert: tlsText(`${name}.pem`), key: tlsText(`${name}.key`), ...more })));
  const url = (fake: FakeOpenstack) => `https://127.0.0.1:${fake.port}/compute/`;
  const cacert = tlsFile('ca.pem');

  it('trusts the authority that is named', async () => {
    const fake = await https('server');
    expect(await client({ cacert }).request(get(url(fake)))).toMatchObject({ ok: true });
  });

  it('trusts an authority that was added to the machine', async () => {
    const fake = await https('server');
    expect(await client({ env: { SSL_CERT_FILE: cacert } }).request(get(url(fake)))).toMatchObject({ ok: true });
    expect(await client({ env: { NODE_EXTRA_CA_CERTS: cacert } }).request(get(url(fake)))).toMatchObject({ ok: true });
  });

  it('trusts anybody when told to', async () => {
    const fake = await https('other');
    expect(await client({ verify: false }).request(get(url(fake)))).toMatchObject({ ok: true });
  });

  it.each<[string, string, Partial<HttpClientOptions>, string]>([
    ['an unknown authority', 'server', {}, 'not trusted here'],
    [
      'a certificate for another name',
      'other',
      { cacert },
      'its certificate is for another name (DNS:cloud.example.com)',
    ],
    ['an expired certificate', 'expired', { cacert }, 'its certificate has expired'],
    [
      'a CA file that is not there',
      'server',
      { cacert: '/nonexistent/ca.pem' },
      'cacert /nonexistent/ca.pem cannot be read (ENOENT)',
    ],
  ])('refuses %s', async (_, name, options, words) => {
    const fake = await https(name);
    const answer = await client(options).request(get(url(fake)));
    expect(answer).toMatchObject({ ok: false, error: { kind: 'tls', detail: expect.stringContaining(words) } });
    expect(fake.seen).toEqual([]);
  });

  it('shows a client certificate', async () => {
    const fake = await https('server', { requestCert: true, rejectUnauthorized: true, ca: tlsText('ca.pem') });
    const shown = client({ cacert, cert: tlsFile('client.pem'), key: tlsFile('client.key') });
    expect(await shown.request(get(url(fake)))).toMatchObject({ ok: true });
    expect(await client({ cacert }).request(get(url(fake)))).toMatchObject({ ok: false });
  });

  it('tells a port without TLS', async () => {
    const fake = await serve();
    const answer = await client().request(get(url(fake)));
    expect(answer).toMatchObject({ ok: false, error: { kind: 'tls', detail: expect.stringContaining('http://') } });
  });
});

describe('a proxy', () => {
  let fake: FakeOpenstack;
  let proxy: FakeProxy;
  beforeEach(async () => {
    fake = await serve();
    proxy = await new FakeProxy().start();
    stops.push(() => proxy.stop());
  });

  it('is asked for plain HTTP as a proxy request, not by CONNECT', async () => {
    const answer = await client({ env: { http_proxy: proxy.url } }).request(get(`${fake.url}/compute/`));
    expect(answer).toMatchObject({ ok: true, value: { status: 200 } });
    expect(proxy.seen).toEqual([`GET ${fake.url}/compute/`]);
  });

  it('is asked for TLS by CONNECT, and the certificate of the service is still verified', async () => {
    const server = createHttpsServer({ cert: tlsText('server.pem'), key: tlsText('server.key') });
    const secure = await serve(new FakeOpenstack(server));
    const env = { HTTPS_PROXY: proxy.url };
    const url = `https://127.0.0.1:${secure.port}/compute/`;
    expect(await client({ env, cacert: tlsFile('ca.pem') }).request(get(url))).toMatchObject({ ok: true });
    expect(proxy.seen).toEqual([`CONNECT 127.0.0.1:${secure.port}`]);
    const detail = expect.stringMatching(/not trusted here.*through proxy 127\.0\.0\.1:/);
    expect(await client({ env }).request(get(url))).toMatchObject({ ok: false, error: { kind: 'tls', detail } });
  });

  it.each([
    ['a name', (f: FakeOpenstack) => f.url.replace('127.0.0.1', 'localhost'), 'example.com,localhost'],
    ['an address', (f: FakeOpenstack) => f.url, '127.0.0.1'],
    ['a network', (f: FakeOpenstack) => f.url, '10.0.0.0/8,127.0.0.0/8'],
    ['everything', (f: FakeOpenstack) => f.url, '*'],
  ])('is passed by for %s in no_proxy', async (_, url, no_proxy) => {
    const answer = await client({ env: { http_proxy: proxy.url, no_proxy } }).request(get(`${url(fake)}/compute/`));
    expect(answer).toMatchObject({ ok: true });
    expect(proxy.seen).toEqual([]);
  });

  it('stands in for both schemes as all_proxy, also without a scheme', async () => {
    const env = { ALL_PROXY: proxy.url.replace('http://', '') };
    expect(await client({ env }).request(get(`${fake.url}/compute/`))).toMatchObject({ ok: true });
    expect(proxy.seen).toHaveLength(1);
  });

  it('that refuses is named', async () => {
    const strict = await new FakeProxy(407).start();
    stops.push(() => strict.stop());
    const env = { https_proxy: strict.url };
    const answer = await client({ env }).request(get('https://127.0.0.1:9/'));
    const detail = `the proxy ${strict.url.replace('http://', '')} refused: it wants a user and a password (407)`;
    expect(answer).toEqual({ ok: false, error: { kind: 'proxy', host: '127.0.0.1:9', detail } });
  });

  it('that is not there is named', async () => {
    const env = { http_proxy: 'http://127.0.0.1:1' };
    const answer = await client({ env }).request(get(`${fake.url}/compute/`));
    expect(answer).toMatchObject({
      ok: false,
      error: { kind: 'refused', detail: expect.stringContaining('through proxy 127.0.0.1:1') },
    });
  });

  it('of the process is not used: only the environment that was given', async () => {
    process.env.http_proxy = proxy.url;
    try {
      expect(await client().request(get(`${fake.url}/compute/`))).toMatchObject({ ok: true });
    } finally {
      delete process.env.http_proxy;
    }
    expect(proxy.seen).toEqual([]);
  });
});
