import { homedir } from 'node:os';
import type { Surroundings } from '../cli.ts';
import { loadConfig } from '../config/load.ts';
import { clockOf } from '../run/clock.ts';
import { openLive } from '../run/doors.ts';
import { playbookOf } from '../run/playbooks.ts';
import { sshSettings } from '../run/ssh-settings.ts';
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
  const screen = screenOf(o);
  const env = o.config === undefined ? process.env : { ...process.env, OSTK_DOCTOR_CONFIG: o.config };
  const loaded = await loadConfig({ cwd: process.cwd(), env, home: homedir() });
  if (!loaded.ok) throw loaded.error;
  const { config } = loaded.value;
  const door = openLive({
    choice: {
      ...(o.osCloud === undefined ? {} : { cloud: o.osCloud }),
      ...(o.osRegionName === undefined ? {} : { region: o.osRegionName }),
      ...(o.osInterface === undefined ? {} : { interface: o.osInterface }),
    },
    options: runOptionsOf(o),
    ssh: sshSettings(config.ssh, { backend: o.ssh, user: o.user, acceptNewHostKeys: o.acceptNewHostKeys }, homedir()),
    hosts: config.hosts ?? {},
    env: process.env,
    cwd: process.cwd(),
    signal,
    clock: clockOf(process.env),
    onWarning: (text) => process.stderr.write(`warning: ${text}\n`),
    ...(screen.stderr.interactive ? { ask: askPassword } : {}),
  });
  const playbook = await playbookOf(command);
  return walkAndReport(door, playbook, command, o, screen, o.record);
}

async function askPassword(prompt: string): Promise<string | undefined> {
  const { terminalPrompter } = await import('../ui/prompts.ts');
  const prompter = terminalPrompter({ interactive: true, input: process.stdin, output: process.stderr });
  return prompter.password({ message: prompt, insteadOf: 'OS_PASSWORD' });
}
