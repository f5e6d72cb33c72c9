import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { messageOf } from '../../src/cloud/answers.ts';
import { chooseEndpoint, unversioned, versionedBase } from '../../src/cloud/catalog.ts';
import { excerptOf } from '../../src/cloud/excerpt.ts';
import { compareMicroversions, lowerMicroversion } from '../../src/cloud/microversions.ts';
import { nextQuery } from '../../src/cloud/pages.ts';
import { novaRelease } from '../../src/cloud/releases.ts';
import { pickVersion, versionsSchema } from '../../src/cloud/versions.ts';
import { fixture } from './support/fake-openstack.ts';

describe('the base of a service', () => {
  it.each([
    ['network', 'http://ctl:9696', 'http://ctl:9696/v2.0', 'http://ctl:9696/'],
    [
      'network',
      'https://api.example.com/network/',
      'https://api.example.com/network/v2.0',
      'https://api.example.com/network/',
    ],
    ['network', 'http://ctl:9696/v2.0/', 'http://ctl:9696/v2.0', 'http://ctl:9696/'],
    ['image', 'http://ctl:9292', 'http://ctl:9292/v2', 'http://ctl:9292/'],
    ['compute', 'http://ctl:8774/v2.1', 'http://ctl:8774/v2.1', 'http://ctl:8774/'],
    ['compute', 'https://x/compute/v2.1/0f6e2de71ef3', 'https://x/compute/v2.1/0f6e2de71ef3', 'https://x/compute/'],
    ['block-storage', 'http://ctl:8776/v3/0f6e2de71ef3', 'http://ctl:8776/v3/0f6e2de71ef3', 'http://ctl:8776/'],
    ['placement', 'http://ctl/placement', 'http://ctl/placement', 'http://ctl/placement/'],
    ['identity', 'http://ctl:5000/v3/', 'http://ctl:5000/v3', 'http://ctl:5000/'],
    ['identity', 'http://ctl:5000/v2.0', 'http://ctl:5000/v3', 'http://ctl:5000/'],
    ['identity', 'https://ctl/identity', 'https://ctl/identity/v3', 'https://ctl/identity/'],
    ['baremetal', 'http://ctl:6385', 'http://ctl:6385/v1', 'http://ctl:6385/'],
    ['load-balancer', 'http://ctl:9876', 'http://ctl:9876/v2', 'http://ctl:9876/'],
  ] as const)('%s at %s is %s, its versions are at %s', (service, url, base, root) => {
    expect(versionedBase(service, url)).toBe(base);
    expect(unversioned(url)).toBe(root);
  });
});

describe('the choice of an endpoint', () => {
  const config = { interface: 'public', serviceInterface: {}, endpointOverride: {}, auth: {} } as const;
  const endpoint = (url: string, region: string, face = 'public') => ({ url, region_id: region, interface: face });
  const catalog = [
    { type: 'compute_legacy', endpoints: [endpoint('http://old/v2', 'R1')] },
    {
      type: 'compute',
      endpoints: [
        endpoint('http://r1/v2.1', 'R1'),
        endpoint('http://r2/v2.1', 'R2'),
        endpoint('http://int', 'R2', 'internal'),
      ],
    },
  ];

  it.each([
    [{}, 'http://r1/v2.1'],
    [{ region: 'R2' }, 'http://r2/v2.1'],
    [{ region: 'R2', interface: 'internal' as const }, 'http://int'],
    [{ region: 'R2', serviceInterface: { compute: 'internal' as const } }, 'http://int'],
    [{ endpointOverride: { compute: 'http://mine' } }, 'http://mine'],
  ])('%j', (change, url) => {
    expect(chooseEndpoint('compute', catalog, { ...config, ...change })).toMatchObject({ ok: true, value: { url } });
  });

  it('takes the old type only when the new one is not there', () => {
    expect(chooseEndpoint('compute', catalog.slice(0, 1), config)).toMatchObject({
      ok: true,
      value: { url: 'http://old/v2' },
    });
  });

  it('names the interfaces when the wanted one is missing', () => {
    const answer = chooseEndpoint('compute', catalog, { ...config, interface: 'admin' });
    expect(answer).toEqual({
      ok: false,
      error: { absent: false, why: 'no admin endpoint of compute; the catalog has internal, public' },
    });
  });
});

describe('microversions', () => {
  it('are compared as numbers', () => {
    expect(compareMicroversions('2.9', '2.10')).toBeLessThan(0);
    expect(compareMicroversions('3.0', '2.99')).toBeGreaterThan(0);
    expect(lowerMicroversion('2.100', '2.93')).toBe('2.93');
    expect(lowerMicroversion('2.79', '2.93')).toBe('2.79');
    expect(lowerMicroversion('2.79', undefined)).toBe('2.79');
  });

  it.each([
    ['2.53', 'Pike'],
    ['2.87', 'Ussuri or Victoria'],
    ['2.93', 'Zed'],
    ['2.94', 'later than Zed'],
    ['2.200', 'later than 2025.2 Flamingo'],
    ['2.1', undefined],
  ])('%s tells the release %s', (maximum, release) => {
    expect(novaRelease(maximum)).toBe(release);
  });
});

describe('the version of a service', () => {
  it('is the one its base speaks, not the newest', () => {
    const list = versionsSchema.parse(fixture('nova-root'));
    expect(pickVersion('compute', list, 'http://ctl:8774/v2.1')).toMatchObject({ id: 'v2.1', maxMicroversion: '2.93' });
    expect(pickVersion('compute', list, 'http://ctl:8774/v2/proj')).toEqual({ id: 'v2.0' });
  });

  it('is the current one where the base has none', () => {
    const list = versionsSchema.parse(fixture('placement-root'));
    expect(pickVersion('placement', list, 'http://ctl:8778')).toMatchObject({ maxMicroversion: '1.39' });
  });
});

describe('the next page', () => {
  it.each([
    [{ servers_links: [{ rel: 'next', href: 'http://h:8774/v2.1/servers?marker=a&limit=2' }] }, 'marker=a&limit=2'],
    [{ servers_links: [{ rel: 'previous', href: '?marker=z' }] }, undefined],
    [{ next: '/v2/images?marker=b' }, 'marker=b'],
    [{ links: { next: 'http://k/v3/users?marker=c', self: 'x' } }, 'marker=c'],
    [{ links: { next: null } }, undefined],
    [{ next: null }, undefined],
    [{ next: '/v1/nodes' }, undefined],
    [null, undefined],
  ])('of %j is %s', (body, query) => {
    expect(nextQuery(body, 'servers')?.toString()).toBe(query);
  });
});

describe('an excerpt', () => {
  it('leaves secrets out, at every depth', () => {
    const server = {
      id: 's1',
      name: 'web',
      adminPass: 'canary',
      admin_pass: 'canary',
      'OS-EXT-SRV-ATTR:user_data': 'canary',
      metadata: { db: 'canary' },
      auth_token: 'canary',
      config: { password: 'canary', port: 22 },
      links: [{ href: 'canary' }],
    };
    expect(excerptOf({ server })).toBe('{"id":"s1","name":"web","config":{"port":22}}');
    expect(excerptOf({ servers: [server, server] })).not.toContain('canary');
  });

  it('counts a list and shows its first items', () => {
    expect(excerptOf({ agents: [{ id: 'a', alive: false, host: 'cmp1', configurations: {} }], agents_links: [] })).toBe(
      '{"agents":1,"of":[{"id":"a","host":"cmp1","alive":false}]}',
    );
  });

  it('is short, valid JSON and free of what steers a terminal, whatever the answer is', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 4 }), (value) => {
        const excerpt = excerptOf(value);
        expect(excerpt.length).toBeLessThanOrEqual(400);
        expect(excerpt).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u202a-\u202e]/);
        if (value !== null && typeof value === 'object') JSON.parse(excerpt);
      }),
    );
    expect(excerptOf({ server: { name: 'a\u009b31m\u202eb\n' } })).toBe('{"name":"a31mb\\n"}');
  });
});

describe('the sentence of an error', () => {
  it.each([
    [
      '{"NeutronError":{"type":"PortNotFound","message":"Port nope could not be found.","detail":""}}',
      'Port nope could not be found.',
    ],
    ['{"errors":[{"status":404,"title":"Not Found","detail":"No such provider"}]}', 'No such provider'],
    [
      '{"error_message":"{\\"faultstring\\": \\"Node x could not be found.\\", \\"debuginfo\\": null}"}',
      'Node x could not be found.',
    ],
    [
      '<html><head><title>403 Forbidden</title></head><body><h1>403 Forbidden</h1>Not yours<br/></body></html>',
      '403 Forbidden Not yours',
    ],
    ['', ''],
    ['null', ''],
    ['plain text', 'plain text'],
  ])('%s', (body, sentence) => {
    expect(messageOf(body)).toBe(sentence);
  });

  it('is at most 300 characters, without control characters', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 1000, unit: 'binary' }), (body) => {
        expect(messageOf(body)).not.toMatch(/[\u0000-\u001f\u007f-\u009f]/);
        expect(messageOf(body).length).toBeLessThanOrEqual(300);
      }),
    );
  });
});
