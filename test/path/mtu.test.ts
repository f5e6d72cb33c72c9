import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  encapsulationOverhead,
  fullSizePayload,
  largestNetworkMtu,
  mtuBudget,
  type NetworkType,
  neededUnderlayMtu,
  type PathLink,
} from '../../src/path/mtu.ts';

const tenant = (device: string, mtu: number, host = 'cmp1'): PathLink => ({ host, device, mtu, carries: 'tenant' });
const underlay = (device: string, mtu: number, host = 'cmp1'): PathLink => ({ host, device, mtu, carries: 'underlay' });

describe('overhead', () => {
  test.each<[NetworkType, number, number]>([
    ['vxlan', 50, 70],
    ['gre', 42, 62],
    ['geneve', 58, 78],
    ['vlan', 0, 0],
    ['flat', 0, 0],
    ['local', 0, 0],
  ])('%s spends %i bytes over IPv4 and %i over IPv6', (type, four, six) => {
    expect(encapsulationOverhead(type, 4)).toBe(four);
    expect(encapsulationOverhead(type, 6)).toBe(six);
  });

  test('Geneve without OVN options is as small as VXLAN', () => {
    expect(encapsulationOverhead('geneve', 4, 30)).toBe(encapsulationOverhead('vxlan', 4));
  });

  test('what fits on an underlay needs just that underlay', () => {
    fc.assert(
      fc.property(
        fc.constantFrom<NetworkType>('vxlan', 'gre', 'geneve', 'vlan', 'flat'),
        fc.constantFrom<4 | 6>(4, 6),
        fc.integer({ min: 576, max: 9216 }),
        (type, outer, mtu) => {
          expect(neededUnderlayMtu(largestNetworkMtu(mtu, type, outer), type, outer)).toBe(mtu);
        },
      ),
    );
  });

  test('a full-size ping leaves room for its own headers', () => {
    expect(fullSizePayload(1450, 4)).toBe(1422);
    expect(fullSizePayload(1450, 6)).toBe(1402);
  });
});

describe('budget of a path', () => {
  const healthy = [
    tenant('tap5652dd5f-cd', 1450),
    tenant('brq653e7a42-cc', 1450),
    tenant('vxlan-1021', 1450),
    underlay('eth1', 1500),
    underlay('eth1', 1500, 'net1'),
    tenant('qr-7602a039-1a', 1450, 'net1'),
  ];

  test('a network of 1450 fits through VXLAN on 1500', () => {
    const budget = mtuBudget({ networkMtu: 1450, type: 'vxlan', outer: 4, links: healthy });
    expect(budget.tooNarrow).toEqual([]);
    expect(budget.fits).toBe(1450);
    expect(budget.narrowest?.device).toBe('tap5652dd5f-cd');
  });

  test('the narrowest link is named with what it would need', () => {
    const links = healthy.map((link) =>
      link.device === 'eth1' && link.host === 'net1' ? { ...link, mtu: 1400 } : link,
    );
    const budget = mtuBudget({ networkMtu: 1450, type: 'vxlan', outer: 4, links });
    expect(budget.fits).toBe(1350);
    expect(budget.narrowest).toMatchObject({ host: 'net1', device: 'eth1' });
    expect(budget.tooNarrow).toEqual([
      { link: { host: 'net1', device: 'eth1', mtu: 1400, carries: 'underlay' }, needs: 1500, short: 100 },
    ]);
  });

  test('the MTU 65000 of Open vSwitch devices narrows nothing', () => {
    const budget = mtuBudget({
      networkMtu: 1442,
      type: 'geneve',
      outer: 4,
      links: [tenant('tap', 1442), tenant('genev_sys_6081', 65000), underlay('eth1', 1500)],
    });
    expect(budget.tooNarrow).toEqual([]);
  });

  test('no links, no statement', () => {
    const budget = mtuBudget({ networkMtu: 1500, type: 'flat', outer: 4, links: [] });
    expect(budget.fits).toBeUndefined();
    expect(budget.narrowest).toBeUndefined();
  });

  test('what fits is never more than any link allows, and too narrow means it does not fit', () => {
    const link = fc.record({
      host: fc.constantFrom('cmp1', 'net1'),
      device: fc.string(),
      mtu: fc.integer({ min: 68, max: 9216 }),
      carries: fc.constantFrom<'tenant' | 'underlay'>('tenant', 'underlay'),
    });
    fc.assert(
      fc.property(fc.array(link, { minLength: 1 }), fc.integer({ min: 68, max: 9000 }), (links, networkMtu) => {
        const budget = mtuBudget({ networkMtu, type: 'vxlan', outer: 4, links });
        expect(budget.tooNarrow.length > 0).toBe((budget.fits ?? 0) < networkMtu);
      }),
    );
  });
});
