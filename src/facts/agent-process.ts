import { type FactResult, observed } from '../engine/fact.ts';
import { err, ok } from '../engine/result.ts';
import { agents } from './cloud-api.ts';
import { read, source } from './io.ts';
import { pathHosts } from './placement.ts';
import { type PortSubject, theCloud } from './subject.ts';

/** One process and the state the kernel has it in: `R`, `S`, `D`, `T` (stopped by a signal), `t` (by a debugger), `Z`. */
export interface ProcessState {
  readonly pid: number;
  readonly state: string;
  readonly args: string;
}

const row = /^\s*(\d+)\s+(\S+)\s+(.*)$/;

/** Output of `ps -ww -eo pid,stat,args`. */
export const parseStates = (stdout: string): readonly ProcessState[] =>
  stdout.split('\n').flatMap((line): ProcessState[] => {
    const match = row.exec(line);
    if (match === null || match[1] === undefined) return [];
    return [{ pid: Number(match[1]), state: match[2] ?? '', args: match[3] ?? '' }];
  });

/** Processes of a host with the states that the kernel has them in. */
export const hostStates = source<string, readonly ProcessState[]>(
  'host.process-states',
  (host) => host,
  (host, facts) =>
    read(facts, host, { argv: ['ps', '-ww', '-eo', 'pid,stat,args'], impact: 'read' }, (stdout) =>
      ok(parseStates(stdout)),
    ),
);

/** Processes of each host of the path on which an agent is dead for OpenStack; nothing is asked where all report. */
export const processStates = source<PortSubject, ReadonlyMap<string, FactResult<readonly ProcessState[]>>>(
  'port.process-states',
  (subject) => subject.id,
  async (subject, facts) => {
    const [hosts, list] = await Promise.all([facts.get(pathHosts, subject), facts.get(agents, theCloud)]);
    if (!hosts.ok) return hosts;
    if (!list.ok) return list;
    const sick = hosts.value.value.all.filter((host) => list.value.value.some((a) => a.host === host && !a.alive));
    if (sick.length === 0) return err({ kind: 'unsupported', because: 'every agent of the path reports' });
    const found = await Promise.all(sick.map(async (host) => [host, await facts.get(hostStates, host)] as const));
    return observed(new Map(found));
  },
);
