import { observed } from '../../engine/fact.ts';
import type { FactFailure } from '../../engine/failure.ts';
import { err } from '../../engine/result.ts';
import { hostLayout } from '../host.ts';
import { run, source } from '../io.ts';
import type { CloudSubject } from '../subject.ts';
import { schedulerHosts } from './settings.ts';

/**
 * Columns of nova-manage's table that are of use, chosen on the node: those of URLs hold user names. DevStack's tools are in an
 * environment of their own. Constant.
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
  /** Host → its cell's uuid. */
  readonly hosts: ReadonlyMap<string, string>;
}

/** It has no hosts: instances that never got one lie there. */
const cell0 = '00000000-0000-0000-0000-000000000000';

/** Nova's cells and the hosts that are mapped to them, by nova-manage on the first scheduler's node that lets us. No API tells. */
export const cellMappings = source<CloudSubject, CellMappings>(
  'schedule.cells',
  () => '',
  async (_, facts) => {
    let failure: FactFailure = { kind: 'unsupported', because: 'no node of a nova-scheduler answers nova-manage' };
    for (const host of await schedulerHosts(facts)) {
      const layout = await facts.get(hostLayout, host);
      if (!layout.ok) {
        failure = layout.error;
        continue;
      }
      const within = layout.value.value.within('nova-scheduler');
      const ask = (script: string) => {
        const [first = 'sh', ...rest] = [...within, 'sh', '-c', script];
        // The program takes seconds to start.
        return run(facts, host, {
          argv: [first, ...rest],
          impact: 'read',
          become: true,
          timeoutSeconds: 30,
          parallel: true,
        });
      };
      const [cells, hosts] = await Promise.all([ask(listCells), ask(listHosts)]);
      if (!cells.ok || !hosts.ok) {
        for (const ran of [cells, hosts]) if (!ran.ok) failure = ran.error;
        continue;
      }
      if (cells.value.result.code !== 0 || hosts.value.result.code !== 0) continue;
      return observed<CellMappings>(
        {
          cells: rowsOf(cells.value.result.stdout)
            .map(([name = '', uuid = '', disabled = '']) => ({
              name: name || uuid,
              uuid,
              disabled: disabled === 'True',
            }))
            .filter((cell) => cell.uuid !== cell0),
          hosts: new Map(rowsOf(hosts.value.result.stdout).map(([, uuid = '', name = '']) => [name, uuid])),
        },
        cells.value.evidence,
        hosts.value.evidence,
      );
    }
    return err(failure);
  },
);
