import { X509Certificate } from 'node:crypto';
import ssh2 from 'ssh2';
import { describe, expect, it } from 'vitest';
import { selfSigned } from '../../src/demo/certificate.ts';
import { newKeyPair } from '../../src/demo/keys.ts';
import { rewriter } from '../../src/demo/origins.ts';
import { pageOf, withoutPage } from '../../src/demo/pages.ts';

describe('what a demo makes for itself', () => {
  it('is a key that can be read back, every time', () => {
    for (let n = 0; n < 100; n += 1) {
      const pair = newKeyPair();
      expect(ssh2.utils.parseKey(pair.private)).not.toBeInstanceOf(Error);
      expect(pair.public).toMatch(/^ssh-ed25519 [A-Za-z0-9+/]+=*$/);
    }
  });

  it('is a certificate for loopback that signs itself', () => {
    const certificate = new X509Certificate(selfSigned().cert);
    expect(certificate.verify(certificate.publicKey)).toBe(true);
    expect(certificate.checkIP('127.0.0.1')).toBe('127.0.0.1');
    expect(certificate.checkHost('localhost')).toBe('localhost');
    expect(Date.parse(certificate.validTo)).toBeGreaterThan(Date.now());
    expect(Date.parse(certificate.validFrom)).toBeLessThan(Date.now());
  });
});

describe('links', () => {
  const rewrite = rewriter(
    new Map([
      ['http://ctl:877', 'A'],
      ['http://ctl:8774', 'B'],
      ['https://cloud.example', 'C'],
    ]),
  );

  it.each([
    ['http://ctl:8774/v2.1', 'B/v2.1'],
    ['"http://ctl:877"', '"A"'],
    ['https://cloud.example/identity', 'C/identity'],
    ['https://cloud.example:443/identity', 'C/identity'],
    ['https://cloud.example:5000/v3', 'https://cloud.example:5000/v3'],
    ['https://cloud.example.com/v3', 'https://cloud.example.com/v3'],
    ['http://ctl:87740/', 'http://ctl:87740/'],
  ])('to %s become %s', (from, to) => {
    expect(rewrite(from)).toBe(to);
  });
});

describe('pages', () => {
  const url = new URL('http://127.0.0.1:1/v2/images?status=active');
  const items = ['a', 'b', 'c'].map((id) => ({ id }));
  const page = (body: unknown, at = url) =>
    JSON.parse(pageOf(JSON.stringify(body), at, withoutPage(at).marker, 2)) as unknown;

  it('link on as each service does', () => {
    expect(page({ images: items })).toEqual({
      images: [{ id: 'a' }, { id: 'b' }],
      next: '/v2/images?status=active&marker=b',
    });
    expect(page({ users: items, links: { self: 'x', next: null } })).toMatchObject({
      links: { self: 'x', next: expect.stringContaining('marker=b') },
    });
    expect(page({ ports: items })).toMatchObject({ ports_links: [{ rel: 'next' }] });
  });

  it('end without a link', () => {
    expect(page({ images: items }, new URL('?marker=b', url))).toEqual({ images: [{ id: 'c' }] });
  });

  it('are not made of documents, of what has no ids, or of what is no JSON', () => {
    expect(page({ server: { id: 'a' } })).toEqual({ server: { id: 'a' } });
    expect(page({ services: items })).toEqual({ services: items });
    expect(page({ names: ['a', 'b', 'c'] })).toEqual({ names: ['a', 'b', 'c'] });
    expect(pageOf('<html>', url, undefined, 2)).toBe('<html>');
  });
});
