import { readdir } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { type Bundle, openBundle } from '../bundle/open.ts';
import type { Surroundings } from '../cli.ts';
import { demoDoor } from '../demo/door.ts';
import { startDemoCloud } from '../demo/server.ts';
import { UserError } from '../engine/error.ts';
import { quoteArg } from '../nodes/quote.ts';
import { playbookOf } from '../run/playbooks.ts';
import { packageRoot } from '../version.ts';
import { type OutputOptions, screenOf } from './output.ts';
import { storedRequest } from './stored-request.ts';
import { walkAndReport } from './walk-and-report.ts';
import { runOptionsOf } from './walk-options.ts';

export interface DemoCommandOptions extends OutputOptions {
  readonly list?: boolean;
  readonly serve?: boolean;
}

const folder = new URL('demo/', packageRoot);

async function scenarios(): Promise<string[]> {
  const files = await readdir(folder);
  return files
    .filter((f) => f.endsWith('.tgz'))
    .map((f) => f.slice(0, -'.tgz'.length))
    .sort();
}

async function scenarioBundle(name: string): Promise<Bundle> {
  const names = await scenarios();
  if (!names.includes(name))
    throw new UserError(`There is no scenario ${name}.`, { hint: `one of: ${names.join(', ')}` });
  const bundle = await openBundle(fileURLToPath(new URL(`${name}.tgz`, folder)));
  if (!bundle.ok) throw bundle.error;
  return bundle.value;
}

/** Serves a recorded cloud on loopback and diagnoses it through the ordinary client code. */
export async function runDemo(
  scenario: string | undefined,
  o: DemoCommandOptions,
  { signal }: Surroundings,
): Promise<number> {
  if (o.list === true) {
    process.stdout.write(`${(await scenarios()).join('\n')}\n`);
    return 0;
  }
  const bundle = await scenarioBundle(scenario ?? 'hand-made-rule');
  const served = await startDemoCloud(bundle);
  try {
    if (o.serve === true) {
      const settings = Object.entries({ ...served.env, ...served.doctorEnv });
      const lines = settings.map(([name, value]) => `export ${name}=${quoteArg(value)}`);
      const target = storedRequest(bundle).target;
      const example = target === undefined ? '' : `# ostk-doctor net ${quoteArg(target)}\n`;
      process.stdout.write(`${lines.join('\n')}\n${example}`);
      await new Promise<void>((resolve) => {
        // Nothing else holds the process: its servers do, until it is interrupted.
        signal.addEventListener('abort', () => resolve(), { once: true });
      });
      return 0;
    }
    const command = storedRequest(bundle);
    const door = demoDoor(served, bundle, runOptionsOf(command.options), signal);
    const playbook = await playbookOf(command);
    return await walkAndReport(door, playbook, command, { ...command.options, ...o }, screenOf(o), undefined);
  } finally {
    await served.close();
  }
}
