import { ok, type Result } from '../../engine/result.ts';
import { linesOf, type ParseFailure, parseFailure } from './parsing.ts';

/** A logical flow that the packet met. */
export interface LogicalHit {
  /** Name or id of the switch or router whose pipeline it is in. */
  readonly datapath: string;
  readonly pipeline: 'ingress' | 'egress';
  readonly table: number;
  /** `ls_in_acl`: names and numbers of stages vary by release. */
  readonly stage: string;
  /** Absent where no flow of the stage took the packet, which drops it. */
  readonly flow?: { readonly match: string; readonly priority: number /** First 32 bits. */; readonly uuid: string };
  readonly actions: readonly string[];
}

/** What the southbound database's logical flows would do with one packet. */
export interface OvnTrace {
  readonly hits: readonly LogicalHit[];
  /** Logical ports that copies are put out by, with their types: empty for an instance. */
  readonly outputs: readonly { readonly port: string; readonly type: string }[];
}

const WHAT = 'ovn-trace';

/**
 * Output of `ovn-trace --detailed --no-friendly-names DATAPATH MICROFLOW` (ovn-trace(8)). A stage is what stands before ` (`: with the
 * place in northd's source, or without.
 */
export function parseOvnTrace(stdout: string): Result<OvnTrace, ParseFailure> {
  const hits: (Omit<LogicalHit, 'actions'> & { readonly actions: string[] })[] = [];
  const outputs: { readonly port: string; readonly type: string }[] = [];
  let at: Pick<LogicalHit, 'datapath' | 'pipeline'> | undefined;
  for (const line of linesOf(stdout)) {
    const entered = /^\s*(ingress|egress)\(dp="([^"]*)"/.exec(line);
    if (entered !== null) {
      at = { pipeline: entered[1] === 'egress' ? 'egress' : 'ingress', datapath: entered[2] ?? '' };
      continue;
    }
    const met = /^\s*(\d+)\. (\S+?)(?: \([^)]*\))?: (.*)$/.exec(line);
    if (met !== null && at !== undefined) {
      const [, table, stage = '', said = ''] = met;
      const flow = /^(.*), priority (\d+), uuid ([\da-f]+)$/.exec(said);
      hits.push({
        ...at,
        table: Number(table),
        stage,
        ...(flow === null ? {} : { flow: { match: flow[1] ?? '', priority: Number(flow[2]), uuid: flow[3] ?? '' } }),
        actions: [],
      });
      continue;
    }
    const output = /^\s*\/\* output to "([^"]*)", type "([^"]*)" \*\/$/.exec(line);
    if (output !== null) outputs.push({ port: output[1] ?? '', type: output[2] ?? '' });
    const action = line.trim();
    if (action !== '' && !/^(?:-+|#.*|ct_.*\(.*\)|multicast\(.*\))$/.test(action)) hits.at(-1)?.actions.push(action);
  }
  return hits.length === 0 ? parseFailure(WHAT, linesOf(stdout)[0] ?? '') : ok({ hits, outputs });
}

/** Where the packet ended when it came to no port that was wanted: the last stage that it was in. */
export const endOf = (trace: OvnTrace): LogicalHit | undefined => trace.hits.at(-1);
