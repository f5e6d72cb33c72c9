import type { FindingSpec, Remedy, RemedyStep } from '../../engine/finding.ts';
import { advice, byOperator, onHost, restartOf } from '../../engine/finding-of.ts';
import type { Relaxation, Schedule, ScheduleChange } from '../../engine/schedule.ts';
import { commandsFor, wordsOf } from '../../schedule/changes.ts';
import { namedHostUnmet } from './codes.ts';
import { specOfChange } from './reason.ts';

const mostRemedies = 6;

/** The commands of a change, where they are typed. */
function commandsOf(change: ScheduleChange, { asked }: Schedule): RemedyStep[] {
  if (change.kind === 'service-up') {
    const forced = ['openstack', 'compute', 'service', 'set', '--up', change.host, 'nova-compute'] as const;
    return [restartOf(change.host, 'nova-compute'), byOperator([...forced], 'only where it was forced down')];
  }
  if (change.kind === 'agent') return [restartOf(change.host, change.binary)];
  const commands = commandsFor(change, {
    flavor: asked.flavor,
    ...(asked.image === undefined ? {} : { image: asked.image }),
  });
  return commands.flatMap(([first, ...rest]): RemedyStep[] => {
    if (first === undefined) return [];
    if (first === 'nova-manage') return [byOperator([first, ...rest], 'on a controller')];
    const host = first === 'openstack' || !('host' in change) ? undefined : change.host;
    return [host === undefined ? byOperator([first, ...rest]) : onHost(host, [first, ...rest])];
  });
}

/** What no single command does is said in words, unless the title says it already. */
function stepsOf(change: ScheduleChange, schedule: Schedule, isAlone: boolean): RemedyStep[] {
  const steps = commandsOf(change, schedule);
  return steps.length > 0 || (isAlone && change.on === 'request') ? steps : [advice(wordsOf(change))];
}

/** A way to get a host as something to type. An instance that got none stays in ERROR whatever is mended: it is created anew. */
export function remedyOf(relaxation: Relaxation, schedule: Schedule): Remedy {
  const { changes, hosts, words, proof } = relaxation;
  const onCloud = changes.every((change) => change.on === 'cloud');
  const isThere = schedule.asked.instance !== undefined;
  const told = proof === 'placement' ? '; Placement was asked so, and gives candidates' : '';
  const steps = changes.flatMap((change) => stepsOf(change, schedule, changes.length === 1));
  const again =
    schedule.asked.movesFrom !== undefined ? 'move it' : isThere ? 'delete the instance and create it again' : 'ask';
  return {
    title: words,
    risk: steps.some((step) => step.argv !== undefined) ? 'reversible' : 'none',
    sufficient: onCloud && changes.length === 1 && !isThere,
    steps: [...steps, ...(onCloud && !isThere ? [] : [advice(onCloud ? `then ${again}` : `${again} so${told}`)])],
    fits: hosts,
  };
}

/** A move to a host of another cell. */
export const isCrossing = ({ asked, columns, narrowest }: Schedule): boolean =>
  asked.movesFrom !== undefined && columns[narrowest ?? -1]?.kind === 'cell';

/** What is left to who must have an instance on a host of another cell. */
const acrossCells = ({ asked }: Schedule): Remedy => ({
  title: 'or bring it into the other cell without a move',
  risk: 'reversible',
  sufficient: false,
  steps: [
    byOperator(
      ['openstack', 'server', 'image', 'create', '--name', 'moved', asked.instance ?? asked.name],
      'then create it anew of that image, with --host',
    ),
    advice(
      'a cold migration may leave its cell where policy grants compute:servers:resize:cross_cell, by default to nobody; live migration and evacuation never do',
    ),
  ],
});

/** What takes away the reason itself stands first. */
export function remediesOf(schedule: Schedule, reason: FindingSpec): Remedy[] {
  const isOf = ({ changes }: Relaxation): boolean => changes.every((change) => specOfChange(change) === reason);
  const { relaxations } = schedule;
  const ways = [...relaxations.filter(isOf), ...relaxations.filter((r) => !isOf(r))]
    .slice(0, mostRemedies)
    .map((relaxation) => remedyOf(relaxation, schedule));
  return reason === namedHostUnmet && isCrossing(schedule) ? [...ways, acrossCells(schedule)] : ways;
}
