import type { Schedule, ScheduleSaid } from '../engine/schedule.ts';
import { placementQuery } from './ask.ts';
import { type Assessed, assess } from './assess.ts';
import { type Capacity, capacityOf } from './capacity.ts';
import type { Estate } from './estate.ts';
import { optionsOf } from './options.ts';
import type { PlacementAnswers } from './query.ts';
import { relaxationsOf, relaxationsOfCount } from './relax.ts';
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
  const open = hosts.filter((h) => h.fits !== 'no');
  const sure = open.filter((h) => h.fits === 'yes');
  const capacity = wish.count > 1 ? capacityOf(open, scene, placementQuery(wish, estate)) : undefined;
  const isShort = capacity !== undefined && open.length > 0 && capacity.total < wish.count;
  const verdict = open.length === 0 || isShort ? 'no-host' : sure.length > 0 ? 'fits' : 'unknown';
  const shortOf = columns.findIndex((c) => c.id === capacity?.short);
  const narrowest = isShort ? shortOf : verdict === 'no-host' ? narrowestOf(hosts, columns.length) : undefined;
  const relaxations =
    verdict !== 'no-host'
      ? []
      : isShort
        ? relaxationsOfCount(hosts, capacity.total, wish, estate)
        : relaxationsOf(hosts, wish, estate);
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
      ...wish.made,
      ...(wish.movesFrom === undefined ? {} : { movesFrom: wish.movesFrom }),
    },
    columns,
    rows: rowsOf(hosts),
    hosts: hosts.length,
    verdict,
    filters: { from: estate.scheduler.from, where: estate.scheduler.where },
    ...(narrowest === undefined || narrowest < 0 ? {} : { narrowest }),
    relaxations,
    said,
    notes: [...(isShort ? [roomWords(wish.count, capacity)] : []), ...notes, ...notesOf(wish, estate, hosts)],
  };
}

/** `Room for 3 of 5 instances: cmp1 2, cmp2 1.` */
function roomWords(count: number, { total, each, short }: Capacity): string {
  const most = 6;
  const hosts = [...each].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1));
  const words = hosts.slice(0, most).map(([host, n]) => `${host} ${n}`);
  const more = hosts.length > most ? ` and ${hosts.length - most} more` : '';
  const by = short === undefined || short === 'placement' ? '' : `, by ${short}`;
  return `Room for ${total} of ${count} instances at once${by}${words.length === 0 ? '' : `: ${words.join(', ')}${more}`}.`;
}

/** What is worth knowing beside the steps. */
function notesOf(wish: Wish, estate: Estate, hosts: readonly Assessed[]): readonly string[] {
  const notes: string[] = [...(estate.unseen ?? [])];
  if (wish.movesFrom !== undefined && estate.cells.length === 0)
    notes.push(
      'Which host is in which cell could not be looked at (nova-manage cell_v2 list_hosts), and Nova moves no instance to another cell.',
    );
  if (wish.hidden.length > 0)
    notes.push(`The API does not tell of a request that was made, and it may have counted: ${wish.hidden.join('; ')}.`);
  if (hosts.length === 0) notes.push('Nova knows no compute host.');
  const look = estate.strayLook;
  if (look !== undefined)
    notes.push(
      `Allocations that nothing stands for were looked for on ${look.looked} of ${look.hosts} hosts, those that lack least of an amount.`,
    );
  const { image, flavor } = wish;
  if (image !== undefined && image.minRamMb > flavor.ramMb)
    notes.push(`Nova's API takes no flavor of ${flavor.ramMb} MB for this image: it wants ${image.minRamMb} MB.`);
  if (image !== undefined && !wish.fromVolume && flavor.diskGb > 0 && image.minDiskGb > flavor.diskGb)
    notes.push(`Nova's API takes no flavor of ${flavor.diskGb} GB for this image: it wants ${image.minDiskGb} GB.`);
  const unmapped = hosts.filter(
    (h) =>
      h.host.cell.state === 'unmapped' &&
      h.judgements.every((j) => j.state !== 'rejects' || j.obstacles.every((o) => o.of === 'unmapped')),
  );
  if (unmapped.length > 0 && hosts.some((h) => h.fits === 'yes'))
    notes.push(
      `Nova may choose ${[...new Set(unmapped.map((h) => h.host.host))].slice(0, 3).join(', ')}, which is not mapped to a cell: the instance then fails, although another host has room.`,
    );
  const limit = optionsOf(estate.scheduler).number('scheduler.max_placement_results', 1000);
  const candidates = hosts.filter((h) => h.judgements[0]?.state === 'passes').length;
  if (candidates > limit && placementQuery(wish, estate).unlimited !== true)
    notes.push(
      `Placement has ${candidates} candidates, and Nova looks at ${limit} of them only ([scheduler]max_placement_results).`,
    );
  return notes;
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
