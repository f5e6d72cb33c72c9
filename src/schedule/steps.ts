import type { ScheduleColumn, ScheduleSaid } from '../engine/schedule.ts';
import { candidacy } from './admits.ts';
import { asksFallback, placementQuery } from './ask.ts';
import type { HostFacts } from './estate.ts';
import { filterOf } from './filters/table.ts';
import { type Judgement, judged, type Obstacle, passes, passing, unknown } from './judgement.ts';
import { mendsFor } from './mends.ts';
import { plugs } from './network.ts';
import type { Scene } from './scene.ts';
import type { Wish } from './wish.ts';

/** One step of Nova's scheduling: a column of the result, and what it comes to on a host. */
export interface Step {
  readonly column: ScheduleColumn;
  /** Its pass can be trusted against the log (Filter.isWhole). */
  readonly isWhole: boolean;
  judge(host: HostFacts): Judgement;
}

/**
 * The steps in Nova's order: Placement's candidates; a cell that is down or disabled drops its hosts before any filter sees them
 * (host_manager.py _get_computes_for_cells); the enabled filters; a host without a mapping is found out by the conductor, once it was chosen;
 * Neutron binds when the host builds.
 */
export function stepsOf(scene: Scene, said: readonly ScheduleSaid[]): readonly Step[] {
  const { hosts } = scene.estate;
  const isDown = (h: HostFacts): boolean => h.cell.state === 'down' || isDisabled(h, scene);
  const cell: Step = {
    column: { id: 'cell', kind: 'cell', title: 'cell' },
    isWhole: true,
    judge: (host) => inCell(host, scene),
  };
  const filters = scene.estate.scheduler.enabledFilters.map((name): Step => {
    const filter = filterOf(name);
    return {
      column: { id: name.split('.').at(-1) ?? name, kind: 'filter', title: filter.title },
      isWhole: filter.isWhole,
      judge:
        scene.wish.destination?.kind === 'force'
          ? () => passing('skipped: the host was forced')
          : (host) => filter.judge(host, scene),
    };
  });
  const cellNames = new Set(hosts.map(cellNameOf).filter((name) => name !== undefined));
  const isFirst = hosts.some(isDown) || (scene.wish.movesFrom !== undefined && cellNames.size > 1);
  const anyUnmapped = hosts.some((h) => h.cell.state === 'unmapped');
  const tried = triedHosts(said, hosts);
  return [
    placementStep(scene),
    ...(isFirst ? [cell] : []),
    ...filters,
    ...(anyUnmapped && !isFirst ? [cell] : []),
    {
      column: { id: 'network', kind: 'network', title: 'network' },
      isWhole: true,
      judge: (host) => plugs(host, scene),
    },
    ...(tried.size === 0 ? [] : [buildStep(tried, scene)]),
  ];
}

function placementStep(scene: Scene): Step {
  const { wish, estate } = scene;
  const query = placementQuery(wish, estate);
  const fallback = asksFallback(wish, estate) ? placementQuery(wish, estate, 'fallback') : undefined;
  return {
    column: { id: 'placement', kind: 'placement', title: 'placement' },
    isWhole: true,
    judge: (host) => {
      const named = otherThanNamed(host, scene);
      if (host.provider === undefined) {
        if (estate.providers.length === 0)
          return unknown('Placement was not seen', 'an account that may read resource providers');
        return together([...named, noProvider(host)], passes);
      }
      const tree = scene.treeOf(host);
      if (tree === undefined)
        return unknown('its provider was not seen', `openstack resource provider show ${host.provider}`);
      const mends = mendsFor(host, scene);
      const sharing = scene.sharedWith(tree);
      const first = candidacy(query, tree, sharing, mends);
      const own =
        first.state === 'rejects' && fallback !== undefined
          ? better(first, candidacy(fallback, tree, sharing, mends))
          : first;
      // One that is not named at all is rejected for that, and not for its tree besides.
      const all = own.state === 'rejects' ? own.obstacles.map((o) => withReason(o, host)) : [];
      const rest = named.length > 0 ? all.filter((o) => o.of !== 'host') : all;
      return together([...named, ...rest], own);
    },
  };
}

/** Of a service that was disabled Nova knows why, and Placement does not. */
const withReason = (o: Obstacle, { service }: HostFacts): Obstacle =>
  o.of === 'service' && o.because === 'disabled' && service.disabledReason
    ? { ...o, because: `disabled: ${service.disabledReason}` }
    : o;

const better = (first: Judgement, second: Judgement): Judgement => (second.state === 'passes' ? second : first);

const together = (obstacles: readonly Obstacle[], otherwise: Judgement): Judgement =>
  obstacles.length > 0 ? judged(obstacles) : otherwise;

const noProvider = (host: HostFacts): Obstacle => ({
  kind: 'no provider',
  of: 'service',
  because: 'no provider',
  wanted: 'a resource provider in Placement',
  has: `none is named ${host.node}`,
  ways: [[{ kind: 'service-up', on: 'cloud', host: host.host }]],
});

/** A request that names a host gets no other (nova/scheduler/utils.py resources_from_request_spec, host_manager.py get_filtered_hosts). */
function otherThanNamed(host: HostFacts, { wish, estate }: Scene): Obstacle[] {
  if (wish.movesFrom === host.host)
    return [{ kind: 'there', of: 'host', because: 'it is there', wanted: 'another host', has: host.host, ways: [] }];
  const named = wish.destination;
  if (named === undefined) return [];
  const isNamed =
    (named.host === undefined || named.host.toLowerCase() === host.host.toLowerCase()) &&
    (named.node === undefined || named.node === host.node);
  if (isNamed) return [];
  const asked = named.host ?? named.node ?? '';
  const isThere = estate.hosts.some(
    (h) => named.host === undefined || h.host.toLowerCase() === named.host.toLowerCase(),
  );
  return [
    {
      kind: `host ${asked}`,
      of: 'host',
      because: isThere ? `${asked} was asked for` : `no host ${asked}`,
      wanted: `host ${asked}`,
      has: isThere ? host.host : 'Nova knows no such host',
      ways: [[{ kind: 'host', on: 'request', asked }]],
    },
  ];
}

const isDisabled = (host: HostFacts, scene: Scene): boolean =>
  host.cell.state === 'mapped' &&
  host.cell.name !== undefined &&
  scene.estate.cells.some((c) => c.name === (host.cell.state === 'mapped' ? host.cell.name : '') && c.disabled);

const cellNameOf = ({ cell }: HostFacts): string | undefined => (cell.state === 'mapped' ? cell.name : undefined);

/**
 * A move stays in its cell: of live migration, evacuation and cold migration alike Nova's API looks for the host in the instance's own
 * (nova/compute/api.py), and the conductor asks the scheduler for no other (conductor/manager.py _restrict_request_spec_to_cell). A cold
 * migration may leave it where policy grants compute:servers:resize:cross_cell, by default to nobody.
 */
function crossing(host: HostFacts, { wish, estate }: Scene): Obstacle[] {
  if (wish.movesFrom === undefined) return [];
  const source = estate.hosts.find((h) => h.host === wish.movesFrom);
  const from = source && cellNameOf(source);
  const to = cellNameOf(host);
  if (from === undefined || to === undefined || from === to) return [];
  return [
    {
      kind: `from ${from} to ${to}`,
      of: 'host',
      because: `in ${to}, the instance in ${from}`,
      wanted: `a host in ${from}: Nova moves no instance to another cell`,
      has: to,
      ways: [[{ kind: 'host', on: 'request', asked: host.host }]],
    },
  ];
}

function inCell(host: HostFacts, scene: Scene): Judgement {
  switch (host.cell.state) {
    case 'unknown':
      // Only some APIs tell; a host that Nova lists with a live service has been discovered.
      return passes;
    case 'mapped': {
      const { name } = host.cell;
      const cell = scene.estate.cells.find((c) => c.name === name);
      const isUsable = cell === undefined || (!cell.disabled && cell.state !== 'down');
      const because = cell?.disabled === true ? 'disabled' : (cell?.because ?? 'down');
      return judged([...crossing(host, scene), ...(isUsable ? [] : [cellObstacle(cell.name, because)])]);
    }
    case 'down': {
      const down = scene.estate.cells.filter((c) => c.state === 'down');
      const [only] = down;
      return judged([cellObstacle(down.length === 1 && only !== undefined ? only.name : '', only?.because ?? 'down')]);
    }
    case 'unmapped':
      return judged([
        {
          kind: 'unmapped',
          of: 'unmapped',
          because: 'not discovered',
          wanted: 'a host that is mapped to a cell',
          has: 'no host mapping',
          ways: [[{ kind: 'discover', on: 'cloud', host: host.host }]],
        },
      ]);
  }
}

const cellObstacle = (cell: string, because: string): Obstacle => ({
  kind: `cell ${cell}`,
  of: 'cell',
  because: because === 'disabled' ? 'cell disabled' : 'cell down',
  wanted: 'a cell that answers and is enabled',
  has: `cell ${cell === '' ? 'of this host' : cell}: ${because}`,
  ways: [[{ kind: 'cell', on: 'cloud', cell, because }]],
});

/** Hosts that were tried, with what Nova said: `Error from last host: cmp1 (node cmp1): …` (nova/scheduler/utils.py _log_compute_error). */
function triedHosts(said: readonly ScheduleSaid[], hosts: readonly HostFacts[]): ReadonlyMap<string, string> {
  const known = new Set(hosts.map((h) => h.host));
  const tried = new Map<string, string>();
  for (const { kind, host, line } of said) {
    if (kind !== 'late' && kind !== 'retries') continue;
    const named = /last host: (\S+) \(node/.exec(line)?.[1];
    if (named !== undefined && known.has(named)) tried.set(named, line);
    else if (known.has(host)) tried.set(host, line);
  }
  return tried;
}

const buildStep = (tried: ReadonlyMap<string, string>, { wish }: Scene): Step => ({
  column: { id: 'build', kind: 'build', title: 'build' },
  isWhole: true,
  judge: ({ host }) => {
    const line = tried.get(host);
    if (line === undefined) return passes;
    return judged([
      {
        kind: 'build',
        of: 'build',
        because: `build failed: ${reasonIn(line)}`,
        wanted: 'a build that succeeds',
        has: line,
        ways: namedIn(line, wish),
      },
    ]);
  },
});

const mostReason = 90;

/** The last words of a log's line: without time and logger, and what wraps them. */
function reasonIn(line: string): string {
  const words = line
    .replace(/^\d{4}-\d\d-\d\d[ T]\S+ /, '')
    .replace(/^(?:[a-z_]+\.)+[a-z_]+ /, '')
    .replace(/^(?:build on \S+ failed|Error from last host: \S+ \(node [^)]*\)): /, '')
    .replace(/^Failed to build and run instance: /, '')
    .trim();
  return words.length <= mostReason ? words : `${words.slice(0, mostReason)}…`;
}

/** Values shorter than this are found in any line. */
const tellingLength = 4;

/** What of the request the error itself names: `no machine type pc-q35-9`. */
function namedIn(line: string, wish: Wish): Obstacle['ways'] {
  const isNamed = ([, value]: readonly [string, string]): boolean =>
    value.length >= tellingLength && !/^(true|false|required|forbidden)$/i.test(value) && line.includes(value);
  const properties = Object.entries(wish.image?.properties ?? {}).filter(isNamed);
  const specs = Object.entries(wish.flavor.extraSpecs).filter(isNamed);
  return [
    ...properties.map(([key, value]) => [{ kind: 'image-property', on: 'request', key, value }] as const),
    ...specs.map(([key, value]) => [{ kind: 'extra-spec', on: 'request', key, value }] as const),
  ];
}
