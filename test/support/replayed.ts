import { fileURLToPath } from 'node:url';
import { type Bundle, openBundle } from '../../src/bundle/open.ts';
import { storedRequest } from '../../src/commands/stored-request.ts';
import { runOptionsOf, type WalkOptions } from '../../src/commands/walk-options.ts';
import type { Finding } from '../../src/engine/finding.ts';
import type { RunReport } from '../../src/engine/report.ts';
import type { Command } from '../../src/nodes/command.ts';
import { openReplay } from '../../src/run/doors.ts';
import { playbookOf } from '../../src/run/playbooks.ts';
import { walk } from '../../src/run/walk.ts';

/** A bundle by its path from the root of the project. */
export async function bundleAt(path: string): Promise<Bundle> {
  const bundle = await openBundle(fileURLToPath(new URL(`../../${path}`, import.meta.url)));
  if (!bundle.ok) throw bundle.error;
  return bundle.value;
}

/** The whole walk over a bundle, with the options it was recorded with and those given here. */
export async function reportOf(
  bundle: Bundle,
  options: WalkOptions = {},
  onCommand: (host: string, command: Command) => void = () => {},
): Promise<RunReport> {
  const command = storedRequest(bundle);
  const isQuestion = command.verb === 'schedule' && command.target === undefined;
  const door = openReplay(bundle, runOptionsOf({ ...command.options, ...options }));
  const { nodes } = door.io;
  const watched: typeof nodes = {
    ...nodes,
    run: (host, asked, until) => {
      onCommand(host, asked);
      return nodes.run(host, asked, until);
    },
    get statistics() {
      return nodes.statistics;
    },
  };
  try {
    return await walk(
      { ...door, io: { ...door.io, nodes: watched } },
      await playbookOf({ ...command, ...(isQuestion ? {} : { target: command.target ?? 'web-1' }) }),
      {
        command: command.verb === 'schedule' ? 'schedule' : 'net',
        allowPort: false,
        failOn: 'error',
        version: '0',
        // Of the other verbs the whole walk.
        ...(command.verb === 'schedule' ? { steps: new Set(command.steps) } : {}),
        ...(isQuestion ? {} : { target: command.target ?? 'web-1' }),
      },
      () => {},
    );
  } finally {
    await door.close();
  }
}

/** The commands that a walk over a bundle puts to a host, whether the recording answers them or not. */
export async function askedOf(bundle: Bundle, host: string): Promise<Command[]> {
  const asked: Command[] = [];
  await reportOf(bundle, {}, (at, command) => {
    if (at === host) asked.push(command);
  });
  return asked;
}

export const findingsOf = (report: RunReport): Finding[] =>
  report.steps.flatMap((s) => s.checks.flatMap((c) => (c.outcome.status === 'problem' ? [...c.outcome.findings] : [])));
