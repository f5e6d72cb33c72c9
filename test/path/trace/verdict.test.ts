import { describe, expect, it } from 'vitest';
import type { Trace, TraceExpectation, TraceLoss } from '../../../src/engine/trace.ts';
import { isLost, isOrdered } from '../../../src/path/trace/verdict.ts';
import { lostBehind, tracePoint, traceThrough } from './traced.ts';

const points = ['qr-1', 'vxlan-1', 'tap-1'].map((device) => tracePoint('cmp1', device));
const last = points.length - 1;

const through = traceThrough(points);

const endsAt = (point: number, way: 'there' | 'back' = 'there'): TraceLoss =>
  lostBehind(way === 'there' ? point - 1 : point + 1, way);
const atGuest: TraceLoss = {
  ...endsAt(last),
  kind: 'answerer',
  after: { at: 'point', point: last, way: 'there' },
  before: { at: 'point', point: last, way: 'back' },
};

const icmp = (stop?: TraceLoss, expected: readonly TraceExpectation[] = []): Trace => ({
  ...through,
  expected,
  ...(stop === undefined ? {} : { stop }),
});
const udp = (stop: TraceLoss): Trace => ({ ...icmp(stop), probe: { ...through.probe, protocol: 'udp', port: 53 } });
const dropped: TraceExpectation = { point: last, verdict: 'dropped', because: 'no rule lets icmp in' };

describe('whether packets of a trace are lost', () => {
  it('is so where it stops, and not where it does not', () => {
    expect(isLost(icmp())).toBe(false);
    for (const stop of [endsAt(1), endsAt(last), atGuest, endsAt(0, 'back')]) expect(isLost(icmp(stop))).toBe(true);
  });

  it('is so for datagrams that do not come to the instance', () => {
    expect(isLost(udp(endsAt(last)))).toBe(true);
    expect(isLost(udp({ ...endsAt(2), packet: 'who-has' }))).toBe(true);
  });

  it('is not so for datagrams that came and got no answer, for none need be', () => {
    expect(isLost(udp(atGuest))).toBe(false);
    expect(isLost(udp({ ...atGuest, kind: 'turn' }))).toBe(false);
    expect(isLost(udp(endsAt(0, 'back')))).toBe(false);
  });
});

describe('whether it was ordered', () => {
  it('is so where the groups take the packet just before the instance', () => {
    expect(isOrdered(icmp(endsAt(last), [dropped]))).toBe(true);
  });

  it('is so where the last point could not be looked at, and so may have been the one', () => {
    const turned: TraceLoss = { ...endsAt(last), kind: 'turn', before: { at: 'sender' }, blind: [last] };
    expect(isOrdered(icmp(turned, [dropped]))).toBe(true);
  });

  it('is not so where the groups let it in', () => {
    expect(isOrdered(icmp(endsAt(last)))).toBe(false);
    expect(isOrdered(icmp(endsAt(last), [{ ...dropped, verdict: 'passes' }]))).toBe(false);
    expect(isOrdered(icmp(endsAt(last), [{ ...dropped, verdict: 'unknown' }]))).toBe(false);
  });

  it('is not so where the packet ends before it comes to the groups, or behind them', () => {
    for (const stop of [endsAt(1), atGuest, endsAt(last - 1, 'back')]) {
      expect(isOrdered(icmp(stop, [dropped]))).toBe(false);
    }
  });

  it('is not so for address resolution, which no group is about', () => {
    expect(isOrdered(icmp({ ...endsAt(last), packet: 'who-has' }, [dropped]))).toBe(false);
  });
});
