import { observed } from '../../engine/fact.ts';
import type { FactFailure } from '../../engine/failure.ts';
import { err, ok, type Result } from '../../engine/result.ts';
import { hostLayout } from '../host.ts';
import { type Ran, run, type Store, source } from '../io.ts';
import type { CloudSubject } from '../subject.ts';
import { inShort } from './in-short.ts';
import { schedulerHosts } from './settings.ts';

/**
 * Columns of nova-manage's table that are of use, chosen on the node: those of URLs hold user names. DevStack's tools are in an
 * environment of their own. Constant, and a loop of one round, as every script that is sent begins.
 */
const listCells = `for f in cells; do PATH=$PATH:/usr/local/bin:/opt/stack/data/venv/bin
o=$(nova-manage cell_v2 list_cells) || exit $?
printf '%s\\n' "$o" | awk -F'|' '$3 ~ /UUID/ { d = $(NF - 1) ~ /Disabled/ } $3 ~ /-/ { print $2 "|" $3 "|" (d ? $(NF - 1) : "") }'
done`;
const listHosts = `for f in hosts; do PATH=$PATH:/usr/local/bin:/opt/stack/data/venv/bin
o=$(nova-manage cell_v2 list_hosts) || exit $?
printf '%s\\n' "$o" | awk -F'|' '$3 ~ /-/ { print $2 "|" $3 "|" $4 }'
done`;

/** Fields of the lines of a table, parted by |. */
export const rowsOf = (stdout: string): readonly (readonly string[])[] =>
  stdout
    .split('\n')
    .map((line) => line.split('|').map((field) => field.trim()))
    .filter((fields) => fields.length === 3);

export interface CellMappings {
  readonly cells: readonly { readonly uuid: string; readonly name: string; readonly disabled: boolean }[];
  /** Host → its cell's uuid; absent where the API told already that all of them are mapped, and to cells that answer. */
  readonly hosts?: ReadonlyMap<string, string>;
}

/** It has no hosts: instances that never got one lie there. */
const cell0 = '00000000-0000-0000-0000-000000000000';

/** Runs nova-manage where a scheduler is: on the first node that lets us, where it has nova.conf. It takes seconds to start. */
async function managed(facts: Store, subcommand: string, script: string): Promise<Result<Ran, FactFailure>> {
  let failure: FactFailure = { kind: 'unsupported', because: 'no node of a nova-scheduler can be asked' };
  for (const host of await schedulerHosts(facts)) {
    const layout = await facts.get(hostLayout, host);
    if (!layout.ok) {
      failure = layout.error;
      continue;
    }
    const [first = 'sh', ...rest] = [...layout.value.value.within('nova-scheduler'), 'sh', '-c', script];
    const command = { impact: 'read', become: true, timeoutSeconds: 30, parallel: true } as const;
    const ran = await run(facts, host, { ...command, argv: [first, ...rest] });
    if (!ran.ok) failure = ran.error;
    else if (ran.value.result.code === 0) return ok(inShort(ran.value, ['nova-manage', 'cell_v2', subcommand]));
  }
  return err(failure);
}

/** Nova's cells without cell0; no API tells. */
export const cellList = source<CloudSubject, CellMappings['cells']>(
  'schedule.cells',
  () => '',
  async (_, facts) => {
    const ran = await managed(facts, 'list_cells', listCells);
    if (!ran.ok) return ran;
    const cells = rowsOf(ran.value.result.stdout)
      .map(([name = '', uuid = '', disabled = '']) => ({ name: name || uuid, uuid, disabled: disabled === 'True' }))
      .filter((cell) => cell.uuid !== cell0);
    return observed(cells, ran.value.evidence);
  },
);

/** Host → its cell's uuid, of those that were discovered. */
export const hostMappings = source<CloudSubject, ReadonlyMap<string, string>>(
  'schedule.host-mappings',
  () => '',
  async (_, facts) => {
    const ran = await managed(facts, 'list_hosts', listHosts);
    if (!ran.ok) return ran;
    const hosts = rowsOf(ran.value.result.stdout).map(([, uuid = '', name = '']) => [name, uuid] as const);
    return observed(new Map(hosts), ran.value.evidence);
  },
);
