import type { Surroundings } from '../cli.ts';
import { playbookOf } from '../run/playbooks.ts';
import { liveDoor } from './live.ts';
import { screenOf } from './output.ts';
import { walkAndReport } from './walk-and-report.ts';
import { runOptionsOf, type WalkOptions } from './walk-options.ts';

export interface WalkCommand {
  readonly verb: string;
  readonly target: string | undefined;
  readonly steps: readonly string[] | undefined;
  readonly allowPort: boolean;
  readonly options: WalkOptions;
}

/** `ostk-doctor net <vm>` and every verb that is a part of it. */
export async function runWalk(command: WalkCommand, { signal }: Surroundings): Promise<number> {
  const { options: o } = command;
  const door = await liveDoor(o, runOptionsOf(o), signal);
  const playbook = await playbookOf(command);
  return walkAndReport(door, playbook, command, o, screenOf(o), o.record);
}
