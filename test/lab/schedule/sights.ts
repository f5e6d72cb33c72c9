import type { RunReport } from '../../../src/engine/report.ts';
import type { Ended } from '../score/lab.ts';
import type { Ground } from './ground.ts';

/** One command of the doctor, and what must come of it. */
export interface Look {
  /** From the verb on. */
  readonly words: readonly string[];
  readonly exit: number;
  /** Words that the first cause must have, or, where there is no report, the refusal. */
  readonly told: readonly string[];
  /** The cell that the report must name. */
  readonly cell?: string;
}

/** What the doctor must say of cells, where no request is to be placed. */
export interface Sight {
  readonly name: string;
  readonly title: string;
  /** Makes the fact; `nova` is what Nova itself says of it. */
  readonly make: (ground: Ground) => Promise<{ readonly nova: string; readonly looks: readonly Look[] }>;
  readonly undo?: (ground: Ground) => Promise<void>;
}

/** The cell that the API's own database has for an instance. */
async function mappedTo(g: Ground, id: string): Promise<string> {
  const query = `SELECT c.name FROM instance_mappings m JOIN cell_mappings c ON c.id = m.cell_id WHERE m.instance_uuid = '${id}'`;
  return (await g.on('ctl', `mysql -N nova_api -e "${query}"`)).out.trim();
}

/** An instance in cell2, and what is asked of it while cell2 does not answer. */
const buried = async (g: Ground, verb: 'cell-stop' | 'cell-drop'): ReturnType<Sight['make']> => {
  const id = await g.filler('sched-deep', 'sched-c2', {});
  // Nova's connections to it are alive, as they are before anything fails.
  await g.cloud.get('nova', '/os-services');
  await g.verb(verb);
  const told = ['OSD-VM-010', 'cell2', 'sched-c2'];
  const looks: Look[] = [
    { words: ['schedule', id], exit: 1, told, cell: 'cell2' },
    { words: ['net', id], exit: 1, told: ['OSD-VM-010', 'cell2', 'sched-c2'], cell: 'cell2' },
    { words: ['schedule', 'sched-deep'], exit: 3, told: ['a cell of Nova does not answer', id] },
    { words: ['schedule', 'web-1'], exit: 0, told: [], cell: 'cell1' },
    { words: ['schedule', '--flavor', 'sched-deep', '--image', 'tiny'], exit: 0, told: [] },
  ];
  return { nova: '', looks };
};

const back = async (g: Ground): Promise<void> => {
  await g.verb('cell-start');
  await g.state('sched-c2', 'up');
};

/** A move to another cell, as Nova's API answers it. */
const refused = async (g: Ground, id: string, action: object): Promise<string> => {
  const { status, body } = await g.cloud.ask('nova', 'POST', `/servers/${id}/action`, action);
  return `${status} ${body?.badRequest?.message ?? ''}`.trim();
};

export const sights: readonly Sight[] = [
  {
    name: 'cell0-instance',
    title: 'an instance that never got a host lies in cell0',
    make: async (g) => {
      const [id = ''] = (await g.request('sched-vm', { ram: 40_000 })).servers;
      const look = { exit: 1, told: ['OSD-SCHED-001'], cell: 'cell0' };
      return {
        nova: await mappedTo(g, id),
        looks: [
          { ...look, words: ['schedule', id] },
          { ...look, words: ['net', id] },
        ],
      };
    },
  },
  {
    name: 'buried',
    title: 'an instance in a cell whose database refuses',
    make: async (g) => buried(g, 'cell-stop'),
    undo: back,
  },
  {
    name: 'buried-drop',
    title: 'an instance in a cell whose database says nothing at all',
    make: async (g) => buried(g, 'cell-drop'),
    undo: back,
  },
  {
    name: 'other-cell-host',
    title: 'a move to a host of another cell, to one of its own, and to where it is',
    make: async (g) => {
      const id = await g.filler('sched-deep', 'sched-f1', {});
      const live = await refused(g, id, { 'os-migrateLive': { host: 'sched-c2', block_migration: 'auto' } });
      const cold = await refused(g, id, { migrate: { host: 'sched-c2' } });
      const words = ['schedule', id, '--host'];
      return {
        nova: `live migration: ${live}; cold migration: ${cold}`,
        looks: [
          { words: [...words, 'sched-c2'], exit: 1, told: ['OSD-SCHED-009', 'cell2', 'cell1'], cell: 'cell1' },
          { words: [...words, 'sched-f2'], exit: 0, told: [], cell: 'cell1' },
          { words: [...words, 'sched-f1'], exit: 1, told: ['OSD-SCHED-009', 'it is there'], cell: 'cell1' },
        ],
      };
    },
  },
];

/** One line of the table. */
export interface Seen {
  readonly name: string;
  readonly title: string;
  readonly command: string;
  readonly nova: string;
  readonly exit: number;
  readonly first: string;
  /** What is not as it must be. */
  readonly wrong?: string;
  readonly seconds: number;
}

/** What is not as it must be of an answer; undefined where all is. */
export function wrongOf(look: Look, report: RunReport | undefined, ran: Ended): string | undefined {
  if (ran.status !== look.exit) return `exit code ${ran.status}, not ${look.exit}`;
  const said = firstWords(report, ran);
  const missing = look.told.filter((word) => !said.includes(word));
  if (missing.length > 0) return `nothing of ${missing.join(', ')}`;
  const cell = report?.target?.cell?.name;
  return look.cell === undefined || look.cell === cell ? undefined : `cell ${cell ?? '?'}, not ${look.cell}`;
}

/** The first cause, or why there is no report. */
export function firstWords(report: RunReport | undefined, ran: Ended): string {
  const first = report?.diagnosis.causes[0]?.finding;
  if (report !== undefined) return first === undefined ? '-' : `${first.code} ${first.summary}`;
  return ran.err.trim().replaceAll('\n', ' ');
}
