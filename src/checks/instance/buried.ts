import type { Observed } from '../../engine/fact.ts';
import type { Finding } from '../../engine/finding.ts';
import { advice, byOperator, findingOf } from '../../engine/finding-of.ts';
import { showing } from '../../facts/io.ts';
import type { InstanceCell } from '../../facts/schedule/cells.ts';
import type { Server } from '../../facts/schemas/compute.ts';
import type { InstanceSubject } from '../../facts/subject.ts';
import { instanceScope } from '../scope.ts';
import { cellDown } from './codes.ts';

/** What is known of an instance of which Nova shows only what its API has itself. */
export interface BuriedInstance {
  readonly subject: InstanceSubject;
  readonly server: Observed<Server>;
  /** Absent where nobody could say which cell it is. */
  readonly located?: Observed<InstanceCell>;
  /** The command that proves the mend. */
  readonly verify: string;
}

/** An instance that is buried in a cell that does not answer: which cell, on which host, and what that means. */
export function buriedFinding({ subject, server, located, verify }: BuriedInstance): Finding {
  const [evidence] = server.evidence;
  if (evidence === undefined) throw new Error('an instance without evidence');
  const { cell, host } = located?.value ?? {};
  const which = cell === undefined ? `The cell of ${subject.name}` : `Cell ${cell.name}, which has ${subject.name},`;
  const room = host === undefined ? '' : `; by Placement it is on ${host}`;
  const scope = instanceScope(subject);
  return findingOf(cellDown, {
    summary: `${which} does not answer: of the instance Nova shows status UNKNOWN, and neither name nor host${room}`,
    subject: cell === undefined ? `instance ${subject.name}` : `cell ${cell.name}`,
    scope: host === undefined ? scope : { ...scope, host: [host] },
    evidence: [showing(evidence, `status ${server.value.status}; no name, no host`), ...(located?.evidence ?? [])],
    remedies: [
      {
        title: 'bring back the database of the cell, or the way to it; the instance itself may well run',
        risk: 'none',
        sufficient: false,
        steps: [
          byOperator(['nova-manage', 'cell_v2', 'list_cells'], 'on a controller: where the database of the cell is'),
          advice('until it answers, Nova can do nothing with what is in that cell; nothing has to be created again'),
        ],
      },
    ],
    verify,
  });
}
