import { describe, expect, it } from 'vitest';
import { sourceTowards } from '../../src/checks/expected.ts';
import type { Port } from '../../src/facts/schemas/network.ts';

const leg = (...fixed: readonly [string, string][]): Port =>
  // Only its addresses are looked at.
  ({ fixed_ips: fixed.map(([subnet_id, ip_address]) => ({ subnet_id, ip_address })) }) as unknown as Port;

describe('the address a namespace speaks to an instance from', () => {
  const legs = [leg(['six', 'fd00::1']), leg(['four', '10.0.0.1']), leg(['other', '10.9.0.1'])];

  it('is of the same family, whatever stands first', () => {
    expect(sourceTowards(legs, '10.0.0.7')).toBe('10.0.0.1');
    expect(sourceTowards(legs, 'fd00::7')).toBe('fd00::1');
  });

  it('is the one in the subnet of the address that is asked', () => {
    expect(sourceTowards(legs, '10.9.0.7', [{ subnet_id: 'other', ip_address: '10.9.0.7' }])).toBe('10.9.0.1');
  });

  it('is unknown where the namespace has none of that family', () => {
    expect(sourceTowards([leg(['four', '10.0.0.1'])], 'fd00::7')).toBeUndefined();
  });
});
