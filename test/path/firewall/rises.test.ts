import { describe, expect, test } from 'vitest';
import { fitOf, type Round } from '../../../src/path/firewall/rises.ts';

/** Two repetitions of three pings that are all lost: five packets each, then seven. */
const rounds: readonly Round[] = [
  { lost: [5, 5, 5], sent: [5, 5, 5] },
  { lost: [7, 7, 7], sent: [7, 7, 7] },
];

describe('the rise of a counter', () => {
  test('fits when it rose by what one of the pings, some of them or all of them lost', () => {
    expect(fitOf([5, 7], rounds)).toBe('same');
    expect(fitOf([10, 14], rounds)).toBe('same');
    expect(fitOf([15, 21], rounds)).toBe('same');
  });

  test('fits with a packet of others beside ours', () => {
    expect(fitOf([6, 7], rounds)).toBe('same');
  });

  test('does not fit when it counts along at its own pace', () => {
    expect(fitOf([5, 5], rounds)).toBe('some');
    expect(fitOf([200, 180], rounds)).toBe('some');
  });

  test('does not fit when one ping would explain the first rise and two the second', () => {
    expect(fitOf([5, 14], rounds)).toBe('some');
  });

  test('stands still for whoever takes nothing, or takes only once', () => {
    expect(fitOf([0, 0], rounds)).toBe('none');
    expect(fitOf([5, 0], rounds)).toBe('none');
    expect(fitOf([], rounds)).toBe('none');
  });

  test('is once a ping where only the first packet of a connection is seen', () => {
    expect(fitOf([3, 3], rounds, true)).toBe('same');
    expect(fitOf([15, 21], rounds, true)).toBe('some');
  });

  test('follows what was lost, not what was sent, on a lossy path', () => {
    const lossy: readonly Round[] = [
      { lost: [6], sent: [15] },
      { lost: [4], sent: [17] },
    ];
    expect(fitOf([6, 4], lossy)).toBe('same');
    expect(fitOf([15, 17], lossy)).toBe('some');
  });
});
