import { createHash } from 'node:crypto';
import type { Expectation } from './expectation.ts';

/**
 * Faults of as many areas as there are: each area gives one in turn. Which ones depends on nothing but the seed and the
 * names, so that a run can be repeated.
 */
export function sample(
  names: readonly string[],
  count: number,
  seed: string,
  of: ReadonlyMap<string, Expectation>,
): string[] {
  const rank = (name: string): string => createHash('sha256').update(`${seed}/${name}`).digest('hex');
  const inOrder = (all: readonly string[]): string[] => [...all].sort((a, b) => (rank(a) < rank(b) ? -1 : 1));
  const areaOf = (name: string): string => of.get(name)?.area ?? '';
  const areas = inOrder([...new Set(names.map(areaOf))]);
  const left = new Map(areas.map((area) => [area, inOrder(names.filter((name) => areaOf(name) === area))]));
  const chosen: string[] = [];
  while (chosen.length < Math.min(count, names.length)) {
    for (const area of areas) {
      const next = left.get(area)?.shift();
      if (next !== undefined && chosen.length < count) chosen.push(next);
    }
  }
  return chosen.sort();
}
