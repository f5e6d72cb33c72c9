import type { Schedule, ScheduleSaid } from '../engine/schedule.ts';
import { type Assessed, assess } from './assess.ts';
import type { Estate } from './estate.ts';
import type { PlacementAnswers } from './query.ts';
import { rowsOf } from './rows.ts';
import { sceneOf } from './scene.ts';
import type { Wish } from './wish.ts';

/** Every host against every step of Nova's scheduling, why there is none, and the smallest changes that would give one. */
export function explain(
  wish: Wish,
  estate: Estate,
  said: readonly ScheduleSaid[],
  answers?: PlacementAnswers,
): Schedule {
  const scene = sceneOf(wish, estate);
  const { columns, hosts, notes } = assess(scene, said, answers);
  const verdict = hosts.some((h) => h.fits === 'yes')
    ? 'fits'
    : hosts.some((h) => h.fits === 'unknown')
      ? 'unknown'
      : 'no-host';
  const narrowest = verdict === 'no-host' ? narrowestOf(hosts, columns.length) : undefined;
  return {
    asked: {
      name: wish.name,
      ...(wish.instance === undefined ? {} : { instance: wish.instance }),
      flavor: wish.flavor.name,
      vcpus: wish.flavor.vcpus,
      ramMb: wish.flavor.ramMb,
      diskGb: wish.flavor.diskGb,
      ...(wish.image === undefined ? {} : { image: wish.image.name }),
      ...(wish.zone === undefined ? {} : { zone: wish.zone }),
      count: wish.count,
    },
    columns,
    rows: rowsOf(hosts),
    hosts: hosts.length,
    verdict,
    filters: { from: estate.scheduler.from, where: estate.scheduler.where },
    ...(narrowest === undefined ? {} : { narrowest }),
    relaxations: [],
    said,
    notes,
  };
}

/** The column after which no host is left. */
function narrowestOf(hosts: readonly Assessed[], columns: number): number | undefined {
  const stops = hosts.flatMap((h) => h.stoppedAt ?? []);
  if (stops.length === 0 || stops.length < hosts.length) return undefined;
  return Math.min(
    columns - 1,
    stops.reduce((a, b) => Math.max(a, b)),
  );
}
