import { readFileSync } from 'node:fs';
import { BlockList, isIP } from 'node:net';
import { createSecureContext, rootCertificates, type SecureContext } from 'node:tls';
import type { Dispatcher } from 'undici';
import { err, ok, type Result } from '../engine/result.ts';
import type { HttpClient, HttpFailure, HttpRequest, HttpResponse } from './http.ts';
import { failureOf, hostOf } from './network-errors.ts';
import { type WireRequest, wireRequest } from './wire.ts';

export interface HttpClientOptions {
  readonly verify: boolean;
  /** PEM file that replaces the usual authorities, as in python-requests. */
  readonly cacert?: string;
  /** PEM file of the client certificate, with the key in it or in `key`. */
  readonly cert?: string;
  readonly key?: string;
  /** Longest time one request may take from its first byte to the last of the answer. */
  readonly timeoutMs: number;
  /** Proxies are taken from here (http_proxy, https_proxy, all_proxy, no_proxy), never from the process. */
  readonly env: Readonly<Record<string, string | undefined>>;
}

const maxBodyBytes = 64 * 1024 * 1024;
const connectTimeoutMs = 10_000;
/** The console is fetched by RPC from the compute host: one that is dead costs Nova a minute (rpc_response_timeout). */
const consoleTimeoutMs = 8_000;
const connectionsPerOrigin = 8;

/** Where distributions keep the authorities that `openstack` trusts (python-requests as packaged reads these too). */
const systemBundles = ['/etc/ssl/certs/ca-certificates.crt', '/etc/pki/tls/certs/ca-bundle.crt', '/etc/ssl/cert.pem'];

/**
 * HTTP over undici, loaded at the first request. It only reads, signs in, and asks for console output (see wire.ts).
 * Failures are values; a kept-alive connection that the server had given up is tried once more, for reads only,
 * because a repeated sign-in can count as a second wrong password.
 */
export function createHttpClient(options: HttpClientOptions): HttpClient {
  let closed = false;
  const dispatchers = new Map<string, Promise<Dispatcher>>();

  /** TLS material is read once, and only when something speaks TLS: parsing all authorities takes milliseconds. */
  const dispatcherFor = (url: URL): Promise<Dispatcher> => {
    const direct = bypassesProxy(url.hostname, options.env);
    const key = `${url.protocol} ${direct}`;
    let found = dispatchers.get(key);
    if (!found) {
      found = buildDispatcher(options, url.protocol === 'https:', direct);
      dispatchers.set(key, found);
    }
    return found;
  };

  const once = async (wire: WireRequest, signal?: AbortSignal): Promise<Result<HttpResponse, HttpFailure>> => {
    const url = new URL(wire.url);
    const startedAt = new Date().toISOString();
    const start = performance.now();
    const limitMs = wire.url.endsWith('/action') ? Math.min(consoleTimeoutMs, options.timeoutMs) : options.timeoutMs;
    const deadline = AbortSignal.timeout(limitMs);
    try {
      const [{ request }, dispatcher] = await Promise.all([loadUndici(), dispatcherFor(url)]);
      const answer = await request(wire.url, {
        method: wire.method,
        headers: wire.headers,
        ...(wire.body === undefined ? {} : { body: wire.body }),
        dispatcher,
        signal: signal ? AbortSignal.any([signal, deadline]) : deadline,
      });
      const body = await readBody(answer.body);
      // The pool counts the connection as free one turn later; asked sooner, it would open another one.
      await new Promise(setImmediate);
      if (body === undefined) {
        const detail = `the answer is larger than ${maxBodyBytes / 1024 / 1024} MiB`;
        return err({ kind: 'too-large', host: hostOf(url), detail });
      }
      return ok({
        status: answer.statusCode,
        headers: plainHeaders(answer.headers),
        body,
        startedAt,
        ms: Math.round(performance.now() - start),
      });
    } catch (error) {
      const timedOut = deadline.aborted && !signal?.aborted;
      return err(failureOf(error, url, { timedOut, seconds: limitMs / 1000, proxy: proxyOf(url, options.env) }));
    }
  };

  return {
    async request(request: HttpRequest, signal?: AbortSignal) {
      const wire = wireRequest(request);
      if (closed) return err({ kind: 'other', host: hostOf(new URL(wire.url)), detail: 'the connection was closed' });
      const first = await once(wire, signal);
      if (first.ok || first.error.kind !== 'reset' || request.kind !== 'read') return first;
      return once(wire, signal);
    },
    async close() {
      closed = true;
      const all = await Promise.allSettled(dispatchers.values());
      dispatchers.clear();
      await Promise.allSettled(all.map((built) => (built.status === 'fulfilled' ? built.value.destroy() : undefined)));
    },
  };
}

/** undici is CommonJS: bundled, all it exports hangs on `default`; in Node itself the names stand beside it. */
async function loadUndici(): Promise<typeof import('undici')> {
  const loaded: typeof import('undici') & { readonly default?: typeof import('undici') } = await import('undici');
  return loaded.default ?? loaded;
}

async function buildDispatcher(options: HttpClientOptions, tls: boolean, direct: boolean): Promise<Dispatcher> {
  const { Agent, EnvHttpProxyAgent } = await loadUndici();
  const secure = tls ? { secureContext: secureContext(options), rejectUnauthorized: options.verify } : {};
  const connect = {
    timeout: Math.min(connectTimeoutMs, options.timeoutMs),
    autoSelectFamilyAttemptTimeout: 1000,
    ...secure,
  };
  const pool = {
    pipelining: 1,
    connections: connectionsPerOrigin,
    keepAliveTimeout: 10_000,
    // The deadline of the whole request is an AbortSignal: undici's own clocks have a resolution of a second.
    headersTimeout: 0,
    bodyTimeout: 0,
  };
  const proxies = proxySettings(options.env);
  if (direct || (!proxies.http && !proxies.https)) return new Agent({ ...pool, connect });
  return new EnvHttpProxyAgent({
    ...pool,
    connect,
    requestTls: secure,
    httpProxy: proxies.http,
    httpsProxy: proxies.https,
    noProxy: proxies.no,
    // CONNECT to an API port is what proxies refuse; plain HTTP goes as an ordinary proxy request.
    proxyTunnel: false,
  });
}

/** One context for all connections: `ca` alone would be parsed again for each. */
function secureContext(options: HttpClientOptions): SecureContext {
  const cert = options.cert === undefined ? undefined : readPem('client certificate', options.cert);
  const key = options.key === undefined ? cert : readPem('client key', options.key);
  const ca = options.verify ? authorities(options) : undefined;
  return createSecureContext({
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
  });
}

/** The named file; else the system's bundle, since Node's own list lacks what an operator has added to the machine. */
function authorities({ cacert, env }: HttpClientOptions): string[] | undefined {
  if (cacert !== undefined) return [readPem('cacert', cacert)];
  const extra = env.NODE_EXTRA_CA_CERTS ? tryRead(env.NODE_EXTRA_CA_CERTS) : undefined;
  for (const path of [env.SSL_CERT_FILE, ...systemBundles]) {
    const bundle = path ? tryRead(path) : undefined;
    if (bundle !== undefined) return extra === undefined ? [bundle] : [bundle, extra];
  }
  return extra === undefined ? undefined : [...rootCertificates, extra];
}

function tryRead(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

function readPem(what: string, path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'unreadable';
    throw Object.assign(new Error(`${what} ${path} cannot be read (${code})`), { code: 'OSTK_PEM' });
  }
}

async function readBody(stream: AsyncIterable<Buffer> & { destroy(): unknown }): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of stream) {
    size += chunk.length;
    if (size > maxBodyBytes) {
      stream.destroy();
      return undefined;
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function plainHeaders(headers: Readonly<Record<string, string | string[] | undefined>>): Record<string, string> {
  const plain: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined) plain[name.toLowerCase()] = Array.isArray(value) ? value.join(', ') : value;
  }
  return plain;
}

/** Lower case wins, as in curl and python-requests; all_proxy stands in for a missing one. */
function proxySettings(env: HttpClientOptions['env']): {
  readonly http: string;
  readonly https: string;
  readonly no: string;
} {
  const all = env.all_proxy || env.ALL_PROXY || '';
  return {
    http: withScheme(env.http_proxy || env.HTTP_PROXY || all),
    https: withScheme(env.https_proxy || env.HTTPS_PROXY || all),
    no: env.no_proxy || env.NO_PROXY || '',
  };
}

const withScheme = (proxy: string): string => (proxy === '' || proxy.includes('://') ? proxy : `http://${proxy}`);

function proxyOf(url: URL, env: HttpClientOptions['env']): string | undefined {
  const proxies = proxySettings(env);
  const proxy = url.protocol === 'https:' ? proxies.https : proxies.http;
  if (proxy === '' || bypassesProxy(url.hostname, env)) return undefined;
  return URL.canParse(proxy) ? new URL(proxy).host : proxy;
}

/** Networks in no_proxy (`10.0.0.0/8`), which python-requests honours and undici does not know. */
function bypassesProxy(hostname: string, env: HttpClientOptions['env']): boolean {
  const host = hostname.replace(/^\[|\]$/g, '');
  const family = isIP(host);
  if (family === 0) return false;
  const block = new BlockList();
  for (const entry of proxySettings(env).no.split(/[,\s]+/)) {
    const [network = '', prefix] = entry.split('/');
    const kind = isIP(network);
    if (prefix === undefined || kind === 0) continue;
    const bits = Number(prefix);
    if (Number.isInteger(bits) && bits >= 0 && bits <= (kind === 4 ? 32 : 128)) {
      block.addSubnet(network, bits, kind === 4 ? 'ipv4' : 'ipv6');
    }
  }
  return block.check(host, family === 4 ? 'ipv4' : 'ipv6');
}
