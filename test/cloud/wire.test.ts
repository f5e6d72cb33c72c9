import { describe, expect, it } from 'vitest';
import type { HttpRequest } from '../../src/cloud/http.ts';
import { createHttpClient } from '../../src/cloud/undici-client.ts';
import { wireRequest } from '../../src/cloud/wire.ts';
import { FakeOpenstack } from './support/fake-openstack.ts';

const id = '4d0210a8-f59b-4810-8814-775cf0b474c1';
const compute = 'http://c/v2.1';
/** What a caller could try once types are cast away. */
const forged = (request: Record<string, unknown>): HttpRequest =>
  ({ headers: {}, ...request }) as unknown as HttpRequest;

const refusals: readonly (readonly [string, HttpRequest])[] = [
  ...['POST', 'PUT', 'PATCH', 'DELETE', 'get', 'CONNECT'].map(
    (method) => [`a read by ${method}`, forged({ kind: 'read', method, url: `${compute}/servers` })] as const,
  ),
  ['a sign-in to something else', forged({ kind: 'sign-in', url: `${compute}/servers`, body: '{"auth":{}}' })],
  [
    'a sign-in that carries more',
    forged({ kind: 'sign-in', url: 'http://k/v3/auth/tokens', body: '{"auth":{},"server":{}}' }),
  ],
  ['a sign-in that is not JSON', forged({ kind: 'sign-in', url: 'http://k/v3/auth/tokens', body: 'auth' })],
  ['a console of another URL', forged({ kind: 'console', url: `${compute}/servers`, lines: 5 })],
  [
    'a console below a server',
    forged({ kind: 'console', url: `${compute}/servers/${id}/action/../os-volume_attachments`, lines: 5 }),
  ],
  ['a console of no number of lines', forged({ kind: 'console', url: `${compute}/servers/${id}/action`, lines: 'x' })],
  ['a kind there is not', forged({ kind: 'change', method: 'DELETE', url: `${compute}/servers/${id}` })],
];

describe('the wire', () => {
  it('carries a read without a body', () => {
    const request = { kind: 'read', method: 'GET', url: `${compute}/servers`, headers: { a: 'b' } } as const;
    expect(wireRequest(request)).toEqual({ method: 'GET', url: `${compute}/servers`, headers: { a: 'b' } });
  });

  it('makes the body of a console request itself, whatever the caller adds', () => {
    const request = forged({
      kind: 'console',
      url: `${compute}/servers/${id}/action`,
      lines: 20.7,
      body: '{"reboot":{}}',
    });
    expect(wireRequest(request)).toMatchObject({ method: 'POST', body: '{"os-getConsoleOutput":{"length":20}}' });
  });

  it.each(refusals)('refuses %s', (_, request) => {
    expect(() => wireRequest(request)).toThrow(/refused to send/);
  });

  it('is where the client refuses, before a single byte is sent', async () => {
    const fake = await new FakeOpenstack().start();
    const http = createHttpClient({ verify: true, timeoutMs: 1000, env: {} });
    for (const [, request] of refusals) {
      const here = { ...request, url: request.url.replace(/^http:\/\/[ck]/, fake.url) };
      await expect(http.request(here)).rejects.toThrow(/refused to send/);
    }
    expect(fake.seen).toEqual([]);
    await http.close();
    await fake.stop();
  });
});
