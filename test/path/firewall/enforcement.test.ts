import { describe, expect, test } from 'vitest';
import { type Enforcement, isEnforced, named, together } from '../../../src/path/firewall/enforcement.ts';

const right: Enforcement = {
  missing: [],
  extra: [],
  chainsMissing: [],
  notEnforced: [],
  baseMissing: [],
  found: [],
  undecided: [],
};

describe('the firewall of a port with addresses of both families', () => {
  test('is as it should be when both are', () => {
    expect(isEnforced(together([right, right]))).toBe(true);
  });

  test('lacks what either lacks, and says which tool shows it', () => {
    const six = named({ ...right, chainsMissing: ['filter neutron-linuxbri-i789390a7-5'] }, 'ip6tables');
    expect(together([right, six]).chainsMissing).toEqual(['ip6tables filter neutron-linuxbri-i789390a7-5']);
  });

  test('says once what is the same for both', () => {
    const unfiltered = { by: 'unfiltered', where: 'br-int table 71', raw: 'actions=NORMAL' } as const;
    const both = together([
      { ...right, notEnforced: [unfiltered] },
      { ...right, notEnforced: [unfiltered] },
    ]);
    expect(both.notEnforced).toEqual([unfiltered]);
  });
});
