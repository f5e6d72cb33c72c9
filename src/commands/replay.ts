import { lastRun } from '../bundle/last-runs.ts';
import { type Bundle, openBundle } from '../bundle/open.ts';
import { UserError } from '../engine/error.ts';
import { openReplay } from '../run/doors.ts';
import { playbookOf } from '../run/playbooks.ts';
import { lastRunsFolder } from '../run/record.ts';
import { type OutputOptions, screenOf } from './output.ts';
import { storedRequest } from './stored-request.ts';
import { walkAndReport } from './walk-and-report.ts';
import { runOptionsOf } from './walk-options.ts';

export interface ReplayOptions extends OutputOptions {
  readonly last?: boolean;
  readonly svg?: string;
}

async function bundleOf(file: string | undefined, o: ReplayOptions): Promise<Bundle> {
  let path = file;
  if (path === undefined) {
    if (o.last !== true) throw new UserError('Which run?', { hint: 'ostk-doctor replay FILE, or replay --last' });
    const last = await lastRun(lastRunsFolder());
    if (!last.ok) throw last.error;
    path = last.value.file;
  }
  const bundle = await openBundle(path);
  if (!bundle.ok) throw bundle.error;
  return bundle.value;
}

/** The report of a recorded run, byte for byte, whatever the output format. */
export async function runReplay(file: string | undefined, o: ReplayOptions): Promise<number> {
  const bundle = await bundleOf(file, o);
  const command = storedRequest(bundle);
  const door = openReplay(bundle, runOptionsOf(command.options));
  const playbook = await playbookOf(command);
  return walkAndReport(door, playbook, command, { ...command.options, ...o }, screenOf(o), undefined);
}
