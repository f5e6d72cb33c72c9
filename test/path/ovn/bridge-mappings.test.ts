import { describe, expect, it } from 'vitest';
import { bridgeMappings } from '../../../src/path/ovn/bridge-mappings.ts';

describe('the bridge mappings of a chassis', () => {
  it('name a bridge for each physical network, spaces or not', () => {
    expect([...bridgeMappings('physnet1:br-ex, physnet2:br-two')]).toEqual([
      ['physnet1', 'br-ex'],
      ['physnet2', 'br-two'],
    ]);
  });

  it.each([undefined, '', 'physnet1', 'physnet1:'])('of %j are none', (words) => {
    expect(bridgeMappings(words).size).toBe(0);
  });
});
