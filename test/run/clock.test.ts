import { describe, expect, it } from 'vitest';
import { wallClock } from '../../src/engine/clock.ts';
import { clockOf } from '../../src/run/clock.ts';

describe('the clock of a live run', () => {
  it('is the wall’s, unless it is said where it stands', () => {
    expect(clockOf({})).toBe(wallClock);
    expect(clockOf({ OSTK_DOCTOR_NOW: '' })).toBe(wallClock);
    expect(clockOf({ OSTK_DOCTOR_NOW: '2026-11-21T03:46:25.961Z' }).now()).toBe(1_795_232_785_961);
  });

  it('refuses what is no time', () => {
    expect(() => clockOf({ OSTK_DOCTOR_NOW: 'yesterday' })).toThrow('OSTK_DOCTOR_NOW is not a time: yesterday');
  });
});
