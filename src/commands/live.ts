import { homedir } from 'node:os';
import { loadConfig } from '../config/load.ts';
import type { RunOptions } from '../facts/io.ts';
import { clockOf } from '../run/clock.ts';
import { type Door, openLive } from '../run/doors.ts';
import { sshSettings } from '../run/ssh-settings.ts';
import { type OutputOptions, screenOf } from './output.ts';

/** What was typed about the way to the cloud and to its nodes. */
export interface WayOptions {
  readonly osCloud?: string;
  readonly osRegionName?: string;
  readonly osInterface?: string;
  readonly config?: string;
  readonly user?: string;
  readonly ssh?: 'auto' | 'ssh2' | 'openssh';
  readonly acceptNewHostKeys?: boolean;
}

/** The door to the cloud that is chosen by options, files and variables. A password is asked for where somebody can answer. */
export async function liveDoor(
  o: WayOptions & Omit<OutputOptions, 'output'>,
  options: RunOptions,
  signal: AbortSignal,
): Promise<Door> {
  const env = o.config === undefined ? process.env : { ...process.env, OSTK_DOCTOR_CONFIG: o.config };
  const loaded = await loadConfig({ cwd: process.cwd(), env, home: homedir() });
  if (!loaded.ok) throw loaded.error;
  const { config } = loaded.value;
  const { interactive } = screenOf({ ...(o.input === undefined ? {} : { input: o.input }) }).stderr;
  return openLive({
    choice: {
      ...(o.osCloud === undefined ? {} : { cloud: o.osCloud }),
      ...(o.osRegionName === undefined ? {} : { region: o.osRegionName }),
      ...(o.osInterface === undefined ? {} : { interface: o.osInterface }),
    },
    options,
    ssh: sshSettings(config.ssh, { backend: o.ssh, user: o.user, acceptNewHostKeys: o.acceptNewHostKeys }, homedir()),
    hosts: config.hosts ?? {},
    env: process.env,
    cwd: process.cwd(),
    signal,
    clock: clockOf(process.env),
    onWarning: (text) => process.stderr.write(`warning: ${text}\n`),
    ...(interactive ? { ask: askPassword } : {}),
  });
}

async function askPassword(prompt: string): Promise<string | undefined> {
  const { terminalPrompter } = await import('../ui/prompts.ts');
  const prompter = terminalPrompter({ interactive: true, input: process.stdin, output: process.stderr });
  return prompter.password({ message: prompt, insteadOf: 'OS_PASSWORD' });
}
