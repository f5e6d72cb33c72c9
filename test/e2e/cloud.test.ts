import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { HttpFault } from '../../src/demo/server.ts';
import { editing, editingPort, editingServer, healthy, refusing } from '../support/edit-bundle.ts';
import { expectComplaint, failuresOf, outcomesOf, type Site, withDesk, withSite } from './doctor.ts';

const withFault = <T>(fault: HttpFault, use: (site: Site) => Promise<T>) =>
  withSite({ faults: { http: [fault] } }, use);

describe.concurrent('sign-in', () => {
  it('fails in words when Keystone cannot be reached', () =>
    withSite({}, async (site) => {
      const server = createServer();
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      const { port } = server.address() as AddressInfo;
      await new Promise((resolve) => server.close(resolve));
      const ran = await site.run(['net', 'web-1'], { env: { OS_AUTH_URL: `http://127.0.0.1:${port}/v3` } });
      expectComplaint(ran, `Keystone at 127.0.0.1:${port}`, 'connection refused', /do: .*auth_url \(OS_AUTH_URL\)/);
    }));

  it('fails in words when the name of Keystone does not resolve', () =>
    withSite({ env: { OS_AUTH_URL: 'http://keystone.invalid:5000/v3' } }, async (site) => {
      expectComplaint(await site.run(['net', 'web-1']), 'keystone.invalid', /do: check the host name/);
    }));

  it('fails with who was refused and where the password stands, and does not ask for another', () =>
    withFault({ do: 'refuse-password' }, async (site) => {
      const ran = await site.run(['net', 'web-1']);
      expectComplaint(ran, 'user admin for project admin', '401', 'OS_PASSWORD');
    }));

  it('does not trust a certificate that nothing vouches for, and does with OS_CACERT', () =>
    withFault({ do: 'self-signed' }, async (site) => {
      expectComplaint(await site.run(['net', 'web-1']), 'self-signed', 'OS_CACERT');
      const trusted = await site.run(['net', 'web-1'], { env: { OS_CACERT: site.demo.caPath ?? '' } });
      expect(trusted).toMatchObject({ code: 0, stderr: '' });
      const missing = await site.run(['net', 'web-1'], { env: { OS_CACERT: '/no/such/ca.pem' } });
      expectComplaint(missing, '/no/such/ca.pem');
    }));

  it('is done once more when the token expires in the middle of a run', () =>
    withFault({ do: 'status', status: 401, path: '/v2.0/agents', times: 1 }, async (site) => {
      const { ran, report } = await site.report();
      expect(ran).toMatchObject({ code: 0, stderr: '' });
      expect(report.counts).toMatchObject({ blocked: 0, unknown: 0 });
    }));
});

describe.concurrent('credentials without admin rights', () => {
  it('leave what they may not see as could not look, with the role that would grant it', () => {
    const noAgents = editing(healthy, '/v2.0/agents', () => ({ agents: [] }));
    const member = editing(noAgents, '/auth/tokens', ({ token }) => {
      token.roles = [{ id: '1', name: 'member' }];
    });
    const refused = ['/os-services', '/bindings', '/l3-agents', '/dhcp-agents'].reduce(
      (bundle, path) =>
        refusing(bundle, path, 403, `Policy doesn't allow os_compute_api:os-services:list to be performed.`),
      member,
    );
    const without = (prefix: string) => (thing: Record<string, unknown>) => {
      for (const key of Object.keys(thing)) if (key.startsWith(prefix)) delete thing[key];
    };
    const bundle = editingPort(editingServer(refused, without('OS-EXT-SRV-ATTR')), without('binding:'));
    return withSite({ bundle }, async (site) => {
      const { ran, report } = await site.report();
      expect(ran).toMatchObject({ code: 3, stderr: '' });
      expect(failuresOf(report)).toContainEqual({
        kind: 'forbidden',
        what: 'compute GET /os-services',
        need: 'role admin, or reader with system scope, or a policy that grants os_compute_api:os-services:list',
      });
      expect(report.diagnosis.causes).toEqual([]);
      expect(outcomesOf(report)).toMatchObject({
        'secgroup.allowed': { status: 'ok' },
        'port.addresses': { status: 'ok' },
        'host.domain': { status: 'blocked' },
      });
      expect(report.target).not.toHaveProperty('host');
    });
  });
});

describe.concurrent('an API that misbehaves', () => {
  it('is asked again after Retry-After when it is busy', () =>
    withFault({ do: 'status', status: 429, retryAfter: 1, path: '/v2.0/ports', times: 2 }, async (site) => {
      expect(await site.run(['net', 'web-1'])).toMatchObject({ code: 0, stderr: '' });
    }));

  it('is not waited for when it wants a minute', () =>
    withFault({ do: 'status', status: 429, retryAfter: 60, path: '/v2.0/agents' }, async (site) => {
      const { ran, report } = await site.report();
      expect(ran.code).toBe(3);
      expect(failuresOf(report)).toContainEqual(expect.objectContaining({ kind: 'api', status: 429 }));
    }));

  const halves: readonly [string, HttpFault, object][] = [
    [
      'answers 500',
      { do: 'status', status: 500, path: '/v2.0/agents' },
      { kind: 'api', service: 'network', status: 500 },
    ],
    [
      'answers 502',
      { do: 'status', status: 502, path: '/v2.0/agents' },
      { kind: 'api', service: 'network', status: 502 },
    ],
    [
      'cuts its JSON short',
      { do: 'truncate', path: '/v2.0/agents' },
      { kind: 'shape', detail: expect.stringContaining('cut short') },
    ],
    ['resets the connection', { do: 'reset', path: '/v2.0/agents' }, { kind: 'unreachable', stage: 'lost' }],
  ];
  it.each(halves)('%s: what needs it could not be looked at, the rest goes on', (_, fault, failure) =>
    withFault(fault, async (site) => {
      const { ran, report } = await site.report();
      expect(ran).toMatchObject({ code: 3, stderr: '' });
      expect(failuresOf(report)).toContainEqual(expect.objectContaining(failure));
      expect(report.diagnosis.causes).toEqual([]);
      expect(outcomesOf(report)).toMatchObject({ 'host.domain': { status: 'ok' }, 'ping.from-dhcp': { status: 'ok' } });
    }),
  );

  it.each([
    ['answers 500', { do: 'status', status: 500, path: '/servers/detail' } as const, /compute/],
    ['cuts its JSON short', { do: 'truncate', path: '/servers/detail' } as const, /cut short/],
    ['resets the connection', { do: 'reset', path: '/servers/detail' } as const, /closed by the other side/],
  ])('%s where the instance is looked for: nothing can be said, status 3', (_, fault, words) =>
    withFault(fault, async (site) => {
      const ran = await site.run(['net', 'web-1']);
      expect({ code: ran.code, stdout: ran.stdout }).toEqual({ code: 3, stdout: '' });
      expect(ran.stderr).toMatch(words);
      expect(ran.stderr.trimEnd().split('\n').length).toBeLessThanOrEqual(4);
    }),
  );

  it('answers in pages of one: all of them are read', () =>
    withFault({ do: 'page', size: 1 }, async (site) => {
      const paged = await site.report();
      expect(paged.ran).toMatchObject({ code: 0, stderr: '' });
      expect(paged.report.counts).toMatchObject({ blocked: 0, unknown: 0 });
      expect(paged.report.traffic.apiRequests).toBeGreaterThan(healthy.manifest.traffic?.apiRequests ?? 0);
    }));

  it('is slow: it is waited for, and nothing moves where nobody watches', () =>
    withFault({ do: 'slow', ms: 250 }, async (site) => {
      expect(await site.run(['net', 'web-1'])).toMatchObject({ code: 0, stderr: '' });
    }));

  it('never answers: it is waited for as long as clouds.yaml says', () =>
    withFault({ do: 'slow', ms: 60_000, path: '/v2.0/agents' }, async (site) => {
      await writeFile(join(site.home, 'clouds.yaml'), cloudsYaml(site, 'lab', { api_timeout: 2 }));
      const { ran, report } = await site.report(['net', 'web-1', '--os-cloud', 'lab']);
      expect(ran.code).toBe(3);
      expect(failuresOf(report)).toContainEqual(expect.objectContaining({ kind: 'timeout', seconds: 2 }));
      expect(outcomesOf(report)['host.domain']).toMatchObject({ status: 'ok' });
    }));
});

const cloudsYaml = (site: Site, name: string, more: object = {}): string => {
  const { env } = site.demo;
  return JSON.stringify({
    clouds: {
      [name]: {
        auth: {
          auth_url: env.OS_AUTH_URL,
          username: env.OS_USERNAME,
          password: env.OS_PASSWORD,
          project_name: env.OS_PROJECT_NAME,
          user_domain_name: 'Default',
          project_domain_name: 'Default',
        },
        region_name: env.OS_REGION_NAME,
        ...more,
      },
    },
  });
};

describe.concurrent('clouds.yaml', () => {
  it('names the cloud in the report', () =>
    withSite({}, async (site) => {
      await writeFile(join(site.home, 'clouds.yaml'), cloudsYaml(site, 'lab'));
      const { report } = await site.report(['port', 'web-1', '--os-cloud', 'lab']);
      expect(report).toMatchObject({ exitCode: 0, cloud: { name: 'lab' } });
    }));

  it('does not have the cloud: those it has are listed', () =>
    withSite({}, async (site) => {
      await writeFile(join(site.home, 'clouds.yaml'), cloudsYaml(site, 'staging'));
      expectComplaint(await site.run(['net', 'web-1', '--os-cloud', 'stagin']), 'stagin', 'staging');
    }));

  it('is not there, nor any variable: what can be done is said', () =>
    withDesk({}, async (desk) => {
      expectComplaint(await desk.run(['net', 'web-1']), 'No cloud is configured', 'openrc', /clouds\.yaml/);
      expectComplaint(await desk.run(['net', 'web-1', '--os-cloud', 'lab']), 'lab', /clouds\.yaml/);
    }));

  it('is broken: the line is named', () =>
    withDesk({}, async (desk) => {
      await writeFile(join(desk.home, 'clouds.yaml'), 'clouds:\n  lab:\n    auth: {auth_url: http://x\n  other: {}\n');
      expectComplaint(await desk.run(['net', 'web-1', '--os-cloud', 'lab']), /clouds\.yaml:[34]\b/);
    }));
});
