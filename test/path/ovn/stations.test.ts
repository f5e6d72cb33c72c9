import { describe, expect, it } from 'vitest';
import { gapOf, type Station } from '../../../src/path/ovn/stations.ts';

const at = (name: string, ...rises: number[]): Station => ({ host: 'cmp1', name, rises });
const names = (stations: readonly Station[]) => {
  const gap = gapOf(stations);
  return gap === undefined ? undefined : [gap.after.name, gap.before.name];
};

describe('packets that are counted on their way', () => {
  it('end between the last place that counted them and the first that counted none', () => {
    expect(names([at('sender', 5, 7), at('out of net1', 5, 7), at('into cmp1', 0, 0), at('tap', 0, 0)])).toEqual([
      'out of net1',
      'into cmp1',
    ]);
    expect(names([at('sender', 5, 7), at('out of net1', 0, 0), at('into cmp1', 10, 9), at('tap', 0, 0)])).toEqual([
      'sender',
      'out of net1',
    ]);
  });

  it('are not followed where other traffic may hide what is lost', () => {
    expect(
      names([at('sender', 5, 7), at('out of net1', 5, 7), at('into cmp1', 0, 2), at('tap', 0, 0)]),
    ).toBeUndefined();
    expect(names([at('sender', 5, 7), at('tap', 80, 90)])).toBeUndefined();
  });

  it('pass by a place that could not be read', () => {
    const unread: Station = { host: 'net1', name: 'out of net1', rises: undefined };
    expect(names([at('sender', 5, 7), unread, at('into cmp1', 5, 7), at('tap', 0, 0)])).toEqual(['into cmp1', 'tap']);
  });
});
