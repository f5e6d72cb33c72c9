import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type CloudConfig, loadCloudConfig } from './config.ts';

export interface Seen {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

export interface Reply {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** An object is sent as JSON. */
  readonly body?: unknown;
  /** Answers by hand: cut off, never, late. */
  readonly raw?: (response: ServerResponse, request: IncomingMessage) => void;
}

export type Handler = (seen: Seen, count: number) => Reply;

export const fixture = (name: string): unknown =>
  JSON.parse(readFileSync(new URL(`../../fixtures/api/${name}.json`, import.meta.url), 'utf8'));

/** The ports of the recorded catalog, as paths of the one fake server. */
const services: Readonly<Record<string, string>> = {
  '5000': 'identity',
  '8774': 'compute',
  '9292': 'image',
  '9696': 'network',
  '8778': 'placement',
};

/** A cloud on 127.0.0.1 that answers what it is told to, and remembers what it was asked. */
export class FakeOpenstack {
  readonly seen: Seen[] = [];
  readonly #handlers = new Map<string, Handler>();
  readonly #counts = new Map<string, number>();
  readonly #server: Server;

  constructor(server: Server = createServer()) {
    this.#server = server;
    server.on('request', (request: IncomingMessage, response: ServerResponse) => void this.#answer(request, response));
    this.on('POST /identity/v3/auth/tokens', () => this.token());
    this.on('GET /identity/', () => ({ status: 300, body: fixture('keystone-root') }));
    this.on('GET /compute/', () => ({ body: fixture('nova-root') }));
    this.on('GET /network/', () => ({ body: fixture('neutron-root') }));
    this.on('GET /image/', () => ({ status: 300, body: fixture('glance-root') }));
    this.on('GET /placement/', () => ({ body: fixture('placement-root') }));
  }

  /** `GET /network/v2.0/ports`, without the query. */
  on(what: string, handler: Handler): this {
    this.#handlers.set(what, handler);
    return this;
  }

  /** The recorded sign-in answer with the catalog turned towards this server. */
  token(change: (token: Record<string, unknown>) => void = () => {}): Reply {
    const text = JSON.stringify(fixture('token')).replace(
      /http:\/\/ctl:(\d+)/g,
      (_, port: string) => `${this.url}/${services[port]}`,
    );
    const document = JSON.parse(text) as { token: Record<string, unknown> };
    change(document.token);
    const count = this.count('POST /identity/v3/auth/tokens');
    const headers = { 'x-subject-token': `test-token-${count}`, 'x-openstack-request-id': 'req-00000000-sign-in' };
    return { status: 201, headers, body: document };
  }

  count(what: string): number {
    return this.#counts.get(what) ?? 0;
  }

  async start(): Promise<this> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return this;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get url(): string {
    return `${'cert' in this.#server ? 'https' : 'http'}://127.0.0.1:${this.port}`;
  }

  /** As an openrc file would have it. */
  environment(more: Readonly<Record<string, string>> = {}): Record<string, string> {
    return {
      OS_AUTH_URL: `${this.url}/identity/v3`,
      OS_USERNAME: 'admin',
      OS_PASSWORD: 'open-sesame',
      OS_PROJECT_NAME: 'admin',
      OS_USER_DOMAIN_NAME: 'Default',
      OS_PROJECT_DOMAIN_NAME: 'Default',
      OS_REGION_NAME: 'RegionOne',
      ...more,
    };
  }

  config(more: Readonly<Record<string, string>> = {}): CloudConfig {
    return loadCloudConfig(this.environment(more));
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let body = '';
    for await (const chunk of request) body += chunk;
    const method = request.method ?? '';
    const url = request.url ?? '';
    const seen = { method, url, headers: request.headers, body };
    this.seen.push(seen);
    const what = `${method} ${url.split('?')[0]}`;
    const count = this.count(what) + 1;
    this.#counts.set(what, count);
    const reply = this.#handlers.get(what)?.(seen, count) ?? { status: 404, body: { message: `no ${what}` } };
    if (reply.raw) return reply.raw(response, request);
    const text = typeof reply.body === 'string' ? reply.body : JSON.stringify(reply.body ?? {});
    response.writeHead(reply.status ?? 200, { 'content-type': 'application/json', ...reply.headers });
    response.end(text);
  }
}
