import type { FindingSpec } from '../../engine/finding.ts';
import type { HostVerdict, RejectedOver, Relaxation, Schedule, ScheduleChange } from '../../engine/schedule.ts';
import {
  buildFailed,
  cellIsDown,
  emptyZone,
  extraSpecUnmet,
  filterOpaque,
  groupUnmet,
  hostNotMapped,
  imageUnmet,
  lacksResources,
  lacksTrait,
  namedHostUnmet,
  networkUnmet,
  noLiveCompute,
  outsideAggregate,
  severalTogether,
  strayHoldsRoom,
  tooMany,
} from './codes.ts';

export type Rejection = Extract<HostVerdict, { state: 'rejects' }>;

/** Hosts that one thing keeps away, where the last of them are lost. */
export interface Reason {
  readonly spec: FindingSpec;
  /** Which step it is; absent where only Nova's own log tells. */
  readonly column?: number;
  /** The rejections of the step that are over this, each with its hosts. */
  readonly over: readonly { readonly verdict: Rejection; readonly hosts: readonly string[] }[];
}

const specOf: Readonly<Record<RejectedOver, FindingSpec>> = {
  resource: lacksResources,
  trait: lacksTrait,
  aggregate: outsideAggregate,
  service: noLiveCompute,
  zone: emptyZone,
  'extra-spec': extraSpecUnmet,
  image: imageUnmet,
  group: groupUnmet,
  host: namedHostUnmet,
  hint: namedHostUnmet,
  unmapped: hostNotMapped,
  cell: cellIsDown,
  network: networkUnmet,
  device: lacksResources,
  build: buildFailed,
  log: filterOpaque,
};

/**
 * What merely chooses among hosts says less than what the chosen ones lack: where a zone has one host, and that is full, the
 * room is the reason, although the others are rejected over the zone.
 */
const choosing: ReadonlySet<RejectedOver> = new Set(['host', 'hint', 'zone', 'aggregate', 'group']);

/** The reason that a change takes away. */
export const specOfChange = (change: ScheduleChange): FindingSpec => {
  switch (change.kind) {
    case 'resource':
    case 'inventory':
      return lacksResources;
    case 'extra-spec':
      return /^trait(\d*|_\w+):/.test(change.key)
        ? lacksTrait
        : /^resources(\d*|_\w+):/.test(change.key)
          ? lacksResources
          : extraSpecUnmet;
    case 'image-property':
      return change.key.startsWith('trait:') ? lacksTrait : imageUnmet;
    case 'trait':
      return lacksTrait;
    case 'zone':
      return emptyZone;
    case 'host':
    case 'hint':
      return namedHostUnmet;
    case 'group':
      return groupUnmet;
    case 'count':
      return tooMany;
    case 'network':
    case 'port':
    case 'agent':
    case 'mapping':
      return networkUnmet;
    case 'service-enabled':
    case 'service-up':
      return noLiveCompute;
    case 'aggregate-property':
    case 'aggregate-host':
      return outsideAggregate;
    case 'allocation':
      return strayHoldsRoom;
    case 'discover':
      return hostNotMapped;
    case 'cell':
      return cellIsDown;
    case 'filter':
      return filterOpaque;
  }
};

const onlyOf = (relaxation: Relaxation, kind: ScheduleChange['kind']): boolean =>
  relaxation.changes.every((change) => change.kind === kind);

/** Whether nothing helps but changes of several kinds at once. */
const takesSeveral = ({ relaxations }: Schedule): boolean =>
  relaxations.length > 0 && relaxations.every(({ changes }) => new Set(changes.map(specOfChange)).size > 1);

/** Why the request has no host; undefined where that cannot be told from what was seen. */
export function reasonOf(schedule: Schedule): Reason | undefined {
  const { said, relaxations, narrowest } = schedule;
  const tried = said.some(({ kind }) => kind === 'retries' || kind === 'late');
  const at = narrowest === undefined ? undefined : atColumn(schedule, narrowest);
  if (tried && at?.spec !== buildFailed && at?.spec !== networkUnmet) return { spec: buildFailed, over: [] };
  if (schedule.verdict !== 'no-host') return opaque(schedule);
  if (relaxations.some((r) => onlyOf(r, 'allocation'))) return { over: [], ...at, spec: strayHoldsRoom };
  if (schedule.asked.count > 1 && relaxations.some((r) => onlyOf(r, 'count')))
    return { over: [], ...at, spec: tooMany };
  if (takesSeveral(schedule)) return { over: [], ...at, spec: severalTogether };
  return at;
}

/** A step that could not be computed, and that by Nova's own words left no host. */
function opaque(schedule: Schedule): Reason | undefined {
  const killers = schedule.said.flatMap((s) => s.filters.filter((f) => f.end === 0).map((f) => f.name));
  const column = schedule.columns.findIndex(
    ({ id }, i) => killers.includes(id) && schedule.rows.some((row) => row.verdicts[i]?.state === 'unknown'),
  );
  return column < 0 ? undefined : { spec: filterOpaque, column, over: [] };
}

/** What most of the hosts that a step rejects first are rejected over. */
function atColumn(schedule: Schedule, column: number): Reason | undefined {
  const all = schedule.rows.flatMap((row) => {
    const verdict = row.verdicts[column];
    return row.stoppedAt === column && verdict?.state === 'rejects' ? [{ verdict, hosts: row.hosts }] : [];
  });
  const telling = all.filter(({ verdict }) => !choosing.has(verdict.of));
  const counts = new Map<FindingSpec, number>();
  for (const { verdict, hosts } of telling.length > 0 ? telling : all) {
    const spec = specOf[verdict.of];
    counts.set(spec, (counts.get(spec) ?? 0) + hosts.length);
  }
  const mended = new Set(schedule.relaxations.slice(0, 1).flatMap((r) => r.changes.map(specOfChange)));
  const [most] = [...counts].sort(([a, m], [b, n]) => Number(mended.has(b)) - Number(mended.has(a)) || n - m);
  if (most === undefined) return undefined;
  const [spec] = most;
  return { spec, column, over: all.filter(({ verdict }) => specOf[verdict.of] === spec) };
}
