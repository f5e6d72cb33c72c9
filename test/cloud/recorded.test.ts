import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { recordedConfig, replayedConfig } from '../../src/cloud/config/recorded.ts';
import type { HttpClient } from '../../src/cloud/http.ts';
import { type CloudParts, openCloud } from '../../src/cloud/session.ts';
import { wallClock } from '../../src/engine/clock.ts';
import { ok } from '../../src/engine/result.ts';
import { Waves } from '../../src/engine/waves.ts';
import { loadCloudConfig } from './support/config.ts';
import { fixture } from './support/fake-openstack.ts';

/** Asks for a list of nodes or ports and tells the requests that this took. */
async function requestsOf(
  parts: Pick<CloudParts, 'config' | 'issueToken'>,
  service: 'network' | 'baremetal',
): Promise<string[]> {
  const sent: string[] = [];
  const http: HttpClient = {
    async request(request) {
      sent.push(`${request.kind} ${request.url}`);
      const signIn = request.url.endsWith('/auth/tokens');
      const body = JSON.stringify(signIn ? fixture('token') : { things: [] });
      return ok({
        status: signIn ? 201 : 200,
        headers: { 'x-subject-token': 't' },
        body,
        startedAt: '2026-01-01T00:00:00Z',
        ms: 1,
      });
    },
    async close() {},
  };
  const cloud = openCloud({ ...parts, http, waves: new Waves(), clock: wallClock });
  const answer = await cloud.list({ service, path: '/things', items: 'things', schema: z.unknown() });
  if (!answer.ok) throw new Error(JSON.stringify(answer.error));
  return sent;
}

const keystone = {
  OS_AUTH_URL: 'http://ctl:5000/v3',
  OS_USERNAME: 'canary-user',
  OS_PASSWORD: 'canary',
  OS_USER_DOMAIN_ID: 'default',
};

describe('a configuration that was recorded', () => {
  it.each<['network' | 'baremetal', string, Record<string, string>]>([
    ['network', 'a password', { ...keystone, OS_REGION_NAME: 'RegionOne' }],
    ['network', 'an internal endpoint', { ...keystone, OS_NETWORK_INTERFACE: 'internal' }],
    ['network', 'an override', { ...keystone, OS_NETWORK_ENDPOINT_OVERRIDE: 'http://mine:9696' }],
    ['network', 'the openstack client', { ...keystone, OS_AUTH_TYPE: 'v3kerberos' }],
    [
      'network',
      'an application credential',
      {
        OS_AUTH_TYPE: 'v3applicationcredential',
        OS_AUTH_URL: 'http://ctl:5000',
        OS_APPLICATION_CREDENTIAL_ID: 'i',
        OS_APPLICATION_CREDENTIAL_SECRET: 'canary',
      },
    ],
    [
      'baremetal',
      'no Keystone',
      { OS_AUTH_TYPE: 'http_basic', OS_ENDPOINT: 'http://ironic:6385', OS_USERNAME: 'u', OS_PASSWORD: 'canary' },
    ],
  ])('asks %s for the same as the live one with %s, without its secrets', async (service, _, env) => {
    const config = loadCloudConfig(env);
    const recorded = recordedConfig(config);
    expect(JSON.stringify(recorded)).not.toContain('canary');
    const live = await requestsOf({ config, issueToken: async () => ok('t') }, service);
    expect(await requestsOf(replayedConfig(JSON.parse(JSON.stringify(recorded))), service)).toEqual(live);
  });
});
