import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { follow } from '../../../src/path/trace/follow.ts';
import { traceOf } from '../../../src/path/trace/model.ts';
import type { Watch } from '../../../src/path/trace/observation.ts';
import { blind, edgesOf, point, simulate, stationOf, watched } from './simulate.ts';

/** A path over one to three hosts, each of its points on a host, in order. */
const paths = fc
  .array(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 3 })
  .filter((sizes) => sizes.reduce((a, b) => a + b, 0) >= 3 && sizes.reduce((a, b) => a + b, 0) <= 12)
  .map((sizes) =>
    sizes.flatMap((size, h) =>
      Array.from({ length: size }, (_, i) => point(['net1', 'cmp1', 'cmp2'][h] ?? '', `d${i}`)),
    ),
  );

const clocks = fc
  .tuple(fc.bigInt(-5_000_000_000n, 5_000_000_000n), fc.bigInt(-5_000_000_000n, 5_000_000_000n))
  .map(([cmp1, cmp2]) => ({ net1: 0n, cmp1, cmp2 }));

const watchesOf = (points: number, some: fc.Arbitrary<Watch>) =>
  fc.array(some, { minLength: points, maxLength: points });

const cases = paths.chain((points) =>
  fc.record({
    points: fc.constant(points),
    watches: watchesOf(points.length, fc.constantFrom(watched, watched, watched, blind)),
    edge: fc.integer({ min: 0, max: edgesOf(points.length) - 1 }),
    sent: fc.integer({ min: 1, max: 8 }),
    clocks,
    seed: fc.integer(),
  }),
);

describe('a path that takes every packet at one place', () => {
  it('is cut there: between the two nearest places that could be looked at', () => {
    fc.assert(
      fc.property(cases, ({ points, watches, edge, sent, clocks: ahead }) => {
        const observation = simulate({ points, watches, sent, clocks: ahead, takes: (e) => e === edge });
        const { stop, losses } = follow(observation);
        expect(losses).toHaveLength(1);
        if (stop === undefined) throw new Error('no stop');
        const n = points.length;
        const from = stationOf(stop.after, n, false);
        const to = stationOf(stop.before, n, true);
        expect(from).toBeLessThanOrEqual(edge);
        expect(to).toBeGreaterThan(edge);
        // Nothing that could be looked at lies in between.
        for (let s = from + 1; s < to; s += 1) {
          if (s === n + 1) continue;
          expect(watches[s <= n ? s - 1 : 2 * n + 1 - s]?.kind).toBe('blind');
        }
        expect([stop.lost, stop.of]).toEqual([sent, sent]);
        expect(stop.way).toBe(from <= n + 1 ? 'there' : 'back');
        if (stop.kind === 'edge' && watches.every((w) => w.kind === 'watched'))
          expect(stop.way).toBe(edge < n ? 'there' : 'back');
        if (stop.kind === 'answerer') expect([edge === n, edge === n + 1]).toContain(true);
      }),
      { numRuns: 500 },
    );
  });

  it('is cut at the same place in whatever order it was seen', () => {
    fc.assert(
      fc.property(cases, fc.infiniteStream(fc.nat()), ({ points, watches, edge, sent, clocks: ahead }, random) => {
        const observation = simulate({
          points,
          watches,
          sent,
          clocks: ahead,
          takes: (e, n) => e === edge && n % 2 === 0,
        });
        const keyed = observation.sightings.map((s) => [Number(random.next().value), s] as const);
        const mixed = keyed.sort(([a], [b]) => a - b).map(([, s]) => s);
        const seen = { ...observation, sightings: mixed };
        expect(traceOf(seen, follow(seen))).toEqual(traceOf(observation, follow(observation)));
      }),
    );
  });

  it('does not become another place by captures that lose packets, only a wider one', () => {
    fc.assert(
      fc.property(
        cases,
        fc.func(fc.boolean()),
        fc.array(fc.boolean(), { minLength: 12, maxLength: 12 }),
        ({ points, edge, sent }, sees, lossy) => {
          const watches = points.map(
            (_, p): Watch => (lossy[p] ? { kind: 'watched', captured: 1, dropped: 3 } : watched),
          );
          const observation = simulate({
            points,
            watches,
            sent,
            takes: (e) => e === edge,
            sees: (p, way, n) => !lossy[p] || sees(p, way, n),
          });
          const { stop, losses, there, back } = follow(observation);
          if (stop === undefined) throw new Error('no stop');
          expect(losses).toHaveLength(1);
          expect(stationOf(stop.after, points.length, false)).toBeLessThanOrEqual(edge);
          expect(stationOf(stop.before, points.length, true)).toBeGreaterThan(edge);
          expect(stop.lost).toBe(sent);
          for (const row of [...there, ...back]) expect(row.overlooked).toBe(0);
        },
      ),
      { numRuns: 300 },
    );
  });
});

describe('a path that takes some packets', () => {
  it('loses them where most are lost', () => {
    fc.assert(
      fc.property(cases, fc.array(fc.boolean(), { minLength: 8, maxLength: 8 }), ({ points, edge, sent }, taken) => {
        const lost = taken.slice(0, sent).filter(Boolean).length;
        const { stop, losses } = follow(
          simulate({ points, sent, takes: (e, n) => e === edge && taken[n - 1] === true }),
        );
        if (lost === 0) {
          expect([stop, losses]).toEqual([undefined, []]);
          return;
        }
        expect([stop?.lost, stop?.of]).toEqual([lost, sent]);
        expect(stationOf(stop?.after ?? { at: 'sender' }, points.length, false)).toBeLessThanOrEqual(edge);
        expect(stationOf(stop?.before ?? { at: 'sender' }, points.length, true)).toBeGreaterThan(edge);
      }),
    );
  });
});

describe('a path that takes nothing', () => {
  it('does not stop, whatever could not be looked at, and whatever a point overlooks', () => {
    fc.assert(
      fc.property(cases, fc.func(fc.boolean()), ({ points, watches, sent, clocks: ahead }, sees) => {
        const { stop, losses } = follow(simulate({ points, watches, sent, clocks: ahead, sees }));
        expect([stop, losses]).toEqual([undefined, []]);
      }),
    );
  });

  it('tells how far the clocks differ, to half of the round trip; exactly where both ways are equally quick', () => {
    fc.assert(
      fc.property(
        cases,
        fc.boolean(),
        fc.array(fc.bigInt(1_000n, 900_000n), { minLength: 26, maxLength: 26 }),
        fc.array(fc.bigInt(0n, 3_000_000n), { minLength: 26 * 8, maxLength: 26 * 8 }),
        ({ points, sent, clocks: ahead }, symmetric, delays, jitter) => {
          const edges = edgesOf(points.length);
          const delay = (e: number, n: number): bigint => {
            const same = symmetric ? Math.min(e, edges - 1 - e) : e;
            // The first packet meets no queue.
            return (delays[same] ?? 0n) + (n === 1 ? 0n : (jitter[e * 8 + (n - 1)] ?? 0n));
          };
          const { offsets } = follow(simulate({ points, sent, clocks: ahead, delay }));
          const total = delays.slice(0, edges).reduce((sum, d) => sum + d, 0n);
          for (const host of new Set(points.map((p) => p.host))) {
            const error = (offsets.get(host) ?? 0n) - (ahead[host as keyof typeof ahead] ?? 0n);
            const wrong = error < 0n ? -error : error;
            expect(offsets.has(host)).toBe(true);
            expect(wrong <= (symmetric ? 2n : total / 2n + 2n), `${host} is wrong by ${wrong} ns`).toBe(true);
          }
        },
      ),
    );
  });

  it('has transits that add up, with the clocks taken out', () => {
    fc.assert(
      fc.property(cases, ({ points, clocks: ahead }) => {
        const { there, back } = follow(simulate({ points, sent: 3, clocks: ahead }));
        for (const [, ...rows] of [there, back]) {
          for (const row of rows) expect(Number(row.transit)).toBeGreaterThanOrEqual(9_998);
          for (const row of rows) expect(Number(row.transit)).toBeLessThanOrEqual(10_002);
        }
      }),
    );
  });
});
