import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  cidrContains,
  cidrsOverlap,
  deviceName,
  eui64Address,
  familyOf,
  firstAddress,
  formatAddress,
  idStartOf,
  inAnyPool,
  inPool,
  ipsetName,
  lastAddress,
  linkLocal,
  namespaceName,
  normalAddress,
  normalCidr,
  normalMac,
  parseAddress,
  parseCidr,
  portChain,
  sameAddress,
  sameCidr,
  sameMac,
  tunnelPortName,
} from '../../src/path/addresses.ts';

const ipv4 = fc.ipV4();
const ipv6 = fc.ipV6();
const address = fc.oneof(ipv4, ipv6);
const cidr4 = fc.tuple(ipv4, fc.integer({ min: 0, max: 32 })).map(([a, p]) => `${a}/${p}`);
const cidr6 = fc.tuple(ipv6, fc.integer({ min: 0, max: 128 })).map(([a, p]) => `${a}/${p}`);
const cidr = fc.oneof(cidr4, cidr6);

describe('addresses', () => {
  test('one address has many spellings and one canonical one', () => {
    expect(normalAddress('2001:0DB8:0:0:0:0:0:1')).toBe('2001:db8::1');
    expect(normalAddress('fe80::1%eth0')).toBe('fe80::1');
    expect(normalAddress(' 10.0.0.6 ')).toBe('10.0.0.6');
    expect(sameAddress('2001:db8::0:1', '2001:DB8::1')).toBe(true);
    expect(sameAddress('::ffff:10.0.0.1', '10.0.0.1')).toBe(false);
  });

  test('loose spellings and nonsense are no addresses', () => {
    for (const text of ['10.1', '010.0.0.1', '0x7f.0.0.1', '1.2.3.4.5', '256.0.0.1', '', 'any', '10', 'fe80::1::2']) {
      expect(parseAddress(text), text).toBeUndefined();
    }
    expect(normalAddress('nonsense')).toBe('nonsense');
    expect(sameAddress('nonsense', 'nonsense')).toBe(false);
  });

  test('formatting and parsing again gives the same address', () => {
    fc.assert(
      fc.property(address, (text) => {
        const parsed = parseAddress(text);
        expect(parsed).toBeDefined();
        expect(parsed && parseAddress(formatAddress(parsed))).toEqual(parsed);
      }),
    );
  });
});

describe('networks', () => {
  test('host bits are ignored and a bare address is a network of one', () => {
    expect(normalCidr('10.0.0.7/24')).toBe('10.0.0.0/24');
    expect(normalCidr('10.0.0.7')).toBe('10.0.0.7/32');
    expect(normalCidr('fd00::7')).toBe('fd00::7/128');
    expect(normalCidr('0::0/0')).toBe('::/0');
    expect(sameCidr('10.0.0.7/24', '10.0.0.99/24')).toBe(true);
    expect(familyOf('10.0.0.0/8')).toBe(4);
    expect(familyOf('fd00::/8')).toBe(6);
  });

  test('a netmask counts as a prefix; a mask with a hole or a prefix too long is refused', () => {
    expect(normalCidr('10.0.0.7/255.255.255.0')).toBe('10.0.0.0/24');
    for (const text of ['10.0.0.0/255.0.255.0', '10.0.0.0/33', 'fd00::/129', '10.0.0.0/', '10.0.0.0/-1']) {
      expect(parseCidr(text), text).toBeUndefined();
    }
  });

  test('first and last address', () => {
    expect(firstAddress('10.0.0.7/24')).toBe('10.0.0.0');
    expect(lastAddress('10.0.0.7/24')).toBe('10.0.0.255');
    expect(lastAddress('fd00::/64')).toBe('fd00::ffff:ffff:ffff:ffff');
    expect(lastAddress('0.0.0.0/0')).toBe('255.255.255.255');
    expect(firstAddress('x')).toBeUndefined();
  });

  test('a network contains its first and last address, itself, and every narrower network around one of its addresses', () => {
    fc.assert(
      fc.property(cidr, fc.nat(128), (text, more) => {
        const parsed = parseCidr(text);
        if (!parsed) throw new Error(text);
        const first = firstAddress(text) ?? '';
        expect(cidrContains(text, first)).toBe(true);
        expect(cidrContains(text, lastAddress(text) ?? '')).toBe(true);
        expect(cidrContains(text, text)).toBe(true);
        const narrower = Math.min(parsed.family === 4 ? 32 : 128, parsed.prefix + more);
        expect(cidrContains(text, `${first}/${narrower}`)).toBe(true);
      }),
    );
  });

  test('containing is overlapping, and overlapping is mutual', () => {
    fc.assert(
      fc.property(cidr, cidr, (a, b) => {
        expect(cidrsOverlap(a, b)).toBe(cidrsOverlap(b, a));
        if (cidrContains(a, b)) expect(cidrsOverlap(a, b)).toBe(true);
      }),
    );
  });

  test('CIDR networks overlap only when one contains the other', () => {
    fc.assert(
      fc.property(cidr, cidr, (a, b) => {
        expect(cidrsOverlap(a, b)).toBe(cidrContains(a, b) || cidrContains(b, a));
      }),
    );
  });

  test('families never mix', () => {
    fc.assert(
      fc.property(cidr4, cidr6, (four, six) => {
        expect(cidrsOverlap(four, six)).toBe(false);
        expect(cidrContains(four, six)).toBe(false);
        expect(cidrContains(six, four)).toBe(false);
      }),
    );
  });

  test('an allocation pool includes both its ends and nothing beside them', () => {
    const pool = { start: '10.0.0.2', end: '10.0.0.254' };
    expect(inPool('10.0.0.2', pool)).toBe(true);
    expect(inPool('10.0.0.254', pool)).toBe(true);
    expect(inPool('10.0.0.1', pool)).toBe(false);
    expect(inPool('10.0.0.255', pool)).toBe(false);
    expect(inPool('fd00::3', pool)).toBe(false);
    expect(inAnyPool('10.0.1.3', [pool, { start: '10.0.1.2', end: '10.0.1.9' }])).toBe(true);
    expect(inAnyPool('10.0.1.3', [])).toBe(false);
  });
});

describe('MAC addresses', () => {
  test('every usual spelling is the same MAC', () => {
    for (const text of ['FA:16:3E:74:89:EF', 'fa-16-3e-74-89-ef', 'fa16.3e74.89ef', 'fa163e7489ef']) {
      expect(normalMac(text)).toBe('fa:16:3e:74:89:ef');
    }
    expect(normalMac('fa:16:3e:74:89')).toBeUndefined();
    expect(sameMac('FA163E7489EF', 'fa:16:3e:74:89:ef')).toBe(true);
    expect(sameMac('zz', 'zz')).toBe(false);
  });

  test('the link-local address of a real port is the one its guest uses', () => {
    expect(linkLocal('fa:16:3e:04:d9:ca')).toBe('fe80::f816:3eff:fe04:d9ca');
    expect(eui64Address('FA:16:3E:B8:37:06', 'fd00:1::/64')).toBe('fd00:1::f816:3eff:feb8:3706');
    expect(eui64Address('fa:16:3e:b8:37:06', '10.0.0.0/24')).toBeUndefined();
  });
});

describe('names that Neutron makes', () => {
  const port = '789390a7-5fd1-4bbb-a47f-5d1f0ed9b6b8';

  test('devices carry the first eleven characters of the id', () => {
    expect(deviceName('tap', port)).toBe('tap789390a7-5f');
    expect(deviceName('qvo', port)).toBe('qvo789390a7-5f');
    expect(deviceName('brq', '5ede4beb-6a59-4d4b-a5b4-0e3e7c9f7f61')).toBe('brq5ede4beb-6a');
    expect(deviceName('qr-', '7602a039-1aef-496e-9c42-58dafaff7858')).toBe('qr-7602a039-1a');
    expect(deviceName('rfp-', port)).toBe('rfp-789390a7-5');
    expect(idStartOf('tap789390a7-5f')).toEqual({ prefix: 'tap', idStart: '789390a7-5f' });
    expect(idStartOf('tap0')).toBeUndefined();
  });

  test('chains carry ten of them, whichever agent made the chain', () => {
    expect(portChain('neutron-linuxbri', 'i', port)).toBe('neutron-linuxbri-i789390a7-5');
    expect(portChain('neutron-openvswi', 's', 'edf2ec55-0a75-42fd-9756-7c2dbda54d9a')).toBe(
      'neutron-openvswi-sedf2ec55-0',
    );
  });

  test('namespaces, ipsets and tunnel ports', () => {
    expect(namespaceName('qdhcp', port)).toBe(`qdhcp-${port}`);
    expect(ipsetName('89e5ed49-ed2b-4af4-92a5-73d62edf09cb', 4)).toBe('NIPv489e5ed49-ed2b-4af4-92a5-');
    expect(ipsetName(port, 6)).toHaveLength(29);
    expect(tunnelPortName('vxlan', '10.0.0.133')).toBe('vxlan-0a000085');
    expect(tunnelPortName('gre', 'x')).toBeUndefined();
  });

  test('a tunnel to an IPv6 address is named by a hash, cut so that the kernel takes the name', () => {
    expect(tunnelPortName('vxlan', 'fd00::1')).toBe('vxlan-wiqx3aks5');
    expect(tunnelPortName('geneve', 'fd00::1')).toBe('geneve-wiqx3aks');
    expect(tunnelPortName('gre', 'fd00::1')).toBe('gre-wiqx3aks5ch');
  });
});
