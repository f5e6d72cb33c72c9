import { readFile } from 'node:fs/promises';
import { allChecks } from '../checks/registry.ts';
import { UserError } from '../engine/error.ts';
import { type Playbook, parsePlaybook } from '../engine/playbook.ts';
import { packageRoot } from '../version.ts';
import { conditions } from './conditions.ts';

/** Reads one of the playbooks that come with the doctor. */
export async function loadPlaybook(name: string): Promise<Playbook> {
  const file = new URL(`playbooks/${name}.yaml`, packageRoot);
  const text = await readFile(file, 'utf8');
  const parsed = parsePlaybook(text, `playbooks/${name}.yaml`, {
    checks: new Set(allChecks.map((c) => c.id)),
    conditions: new Set(conditions.keys()),
  });
  if (parsed.ok) return parsed.value;
  const [first] = parsed.error;
  throw new UserError(`The playbook ${name} cannot be used.`, {
    where: first?.at ?? '',
    why: first?.message ?? '',
    hint: 'correct the file',
  });
}

/** Verbs about an instance that are no part of `net`. */
const ownWalk: ReadonlySet<string> = new Set(['trace', 'schedule']);

/** The walk that a command means: of its own name, or for an instance the whole of which most verbs are a part. */
export const playbookOf = ({
  verb,
  target,
}: {
  readonly verb: string;
  readonly target: string | undefined;
}): Promise<Playbook> => loadPlaybook(target === undefined || ownWalk.has(verb) ? verb : 'net');
