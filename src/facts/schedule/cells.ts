import { z } from 'zod';
import type { Evidence } from '../../engine/evidence.ts';
import { observed } from '../../engine/fact.ts';
import type { FactFailure } from '../../engine/failure.ts';
import { err, ok, type Result } from '../../engine/result.ts';
import { computeServices } from '../cloud-api.ts';
import { hostLayout } from '../host.ts';
import { type Ran, run, type Store, showing, source } from '../io.ts';
import type { ComputeService, Server } from '../schemas/compute.ts';
import { type CloudSubject, type InstanceSubject, theCloud } from '../subject.ts';
import { schedulerHosts } from './settings.ts';

/** Rows of a table as prettytable draws it, each by the names of its columns. */
export function tableRows(stdout: string): readonly ReadonlyMap<string, string>[] {
  const lines = stdout.split('\n').filter((line) => line.startsWith('|'));
  const [head = [], ...rows] = lines.map((line) =>
    line
      .split('|')
      .slice(1, -1)
      .map((field) => field.trim()),
  );
  return rows.map((fields) => new Map(head.map((name, i) => [name, fields[i] ?? ''])));
}

export interface CellMappings {
  readonly cells: readonly { readonly uuid: string; readonly name: string; readonly disabled: boolean }[];
  /** Host → its cell's uuid; absent where the API told already that all of them are mapped, and to cells that answer. */
  readonly hosts?: ReadonlyMap<string, string>;
}

/** It has no hosts: instances that never got one lie there. */
const cell0 = '00000000-0000-0000-0000-000000000000';

/** DevStack has OpenStack's tools in an environment of their own. */
const tools = ['nova-manage', '/opt/stack/data/venv/bin/nova-manage'];

/** Runs nova-manage where a scheduler is: on the first node that lets us, where it has nova.conf. It takes seconds to start. */
async function managed(facts: Store, ...words: readonly string[]): Promise<Result<Ran, FactFailure>> {
  let failure: FactFailure = { kind: 'unsupported', because: 'no node of a nova-scheduler can be asked' };
  for (const host of await schedulerHosts(facts)) {
    const layout = await facts.get(hostLayout, host);
    if (!layout.ok) {
      failure = layout.error;
      continue;
    }
    for (const tool of tools) {
      const [first = tool, ...rest] = [...layout.value.value.within('nova-scheduler'), tool, 'cell_v2', ...words];
      const command = { impact: 'read', become: true, timeoutSeconds: 60, parallel: true } as const;
      const ran = await run(facts, host, { ...command, argv: [first, ...rest] });
      // 255: an exception (nova/cmd/manage.py main).
      if (ran.ok && ran.value.result.code !== null && ran.value.result.code < 255) return ran;
      failure = ran.ok
        ? { kind: 'command', host, argv: [first, ...rest], code: ran.value.result.code, detail: lastLine(ran.value) }
        : ran.error;
      if (failure.kind !== 'missing-tool') break;
    }
  }
  return err(failure);
}

const lastLine = ({ result }: Ran): string => result.stdout.trim().split('\n').at(-1) ?? '';

/** Nova's cells without cell0; no API tells. */
export const cellList = source<CloudSubject, CellMappings['cells']>(
  'schedule.cells',
  () => '',
  async (_, facts) => {
    const ran = await managed(facts, 'list_cells');
    if (!ran.ok) return ran;
    const cells = tableRows(ran.value.result.stdout)
      .map((row) => ({
        name: row.get('Name') || row.get('UUID') || '',
        uuid: row.get('UUID') ?? '',
        disabled: row.get('Disabled') === 'True',
      }))
      .filter((cell) => cell.uuid !== cell0);
    // Not their URLs, which name users.
    const lines = cells.map(({ name, uuid, disabled }) => `${name} ${uuid}${disabled ? ' disabled' : ''}`);
    return observed(cells, showing(ran.value.evidence, lines));
  },
);

/** Host → its cell's uuid, of those that were discovered. */
export const hostMappings = source<CloudSubject, ReadonlyMap<string, string>>(
  'schedule.host-mappings',
  () => '',
  async (_, facts) => {
    const ran = await managed(facts, 'list_hosts');
    if (!ran.ok) return ran;
    const rows = tableRows(ran.value.result.stdout);
    const hosts = rows.map((row) => [row.get('Hostname') ?? '', row.get('Cell UUID') ?? ''] as const);
    const lines = rows.map((row) => `${row.get('Hostname') ?? ''} in ${row.get('Cell Name') ?? ''}`);
    return observed(new Map(hosts), showing(ran.value.evidence, lines));
  },
);

/** Where Nova keeps the record of an instance. */
export interface InstanceCell {
  /** cell0 and others by name; absent where it is mapped to none, or where that cannot be told. */
  readonly cell?: { readonly name: string; readonly uuid: string };
  /** Where its cell does not answer: the host on which Placement holds room for it. */
  readonly host?: string;
  /** nova-manage's own sentence where the instance is in no cell. */
  readonly words?: string;
}

/** Nova shows of an instance in a cell that does not answer what the API's own database has (2.69). */
export const isBuried = (server: Server): boolean => server.status === 'UNKNOWN';

/** `Instance … is in cell: cell1 (7d9c…)` with exit code 0; 1 to 4 with another sentence (nova/cmd/manage.py verify_instance). */
export function verifiedIn(stdout: string): InstanceCell {
  const lines = stdout.split('\n').filter((line) => /\binstance\b/i.test(line));
  const [, name, uuid] = /^Instance \S+ is in cell: (.*) \(([0-9a-f-]{36})\)$/.exec(lines[0] ?? '') ?? [];
  return name === undefined || uuid === undefined
    ? { words: lines.slice(0, 2).join(' ') }
    : { cell: { name: name === 'None' ? uuid : name, uuid } };
}

const allocationsSchema = z.object({ allocations: z.record(z.string(), z.unknown()) });
const providerSchema = z.looseObject({ name: z.string() });

/** Hosts of cells that do not answer, and the one of them that Placement says holds the instance. */
async function buriedOn(
  facts: Store,
  id: string,
  computes: readonly ComputeService[],
  evidence: Evidence[],
): Promise<string | undefined> {
  const { cloud } = facts.io;
  const held = await cloud.get({ service: 'placement', path: `/allocations/${id}`, schema: allocationsSchema });
  if (!held.ok) return undefined;
  const names = await Promise.all(
    Object.keys(held.value.value.allocations).map((uuid) =>
      cloud.get({ service: 'placement', path: `/resource_providers/${uuid}`, schema: providerSchema }),
    ),
  );
  for (const answer of names) {
    if (!answer.ok) continue;
    const { name } = answer.value.value;
    const on = computes.find(({ host }) => host === name || host.split('.')[0] === name.split('.')[0]);
    if (on === undefined) continue;
    evidence.push(held.value.evidence, answer.value.evidence);
    return on.host;
  }
  return undefined;
}

/**
 * The cell of an instance, by nova-manage; of one whose cell does not answer, which nova-manage waits for, by the host that Placement
 * holds room on, else by the only cell that is down.
 */
export const instanceCell = source<InstanceSubject, InstanceCell>(
  'instance.cell',
  (s) => s.id,
  async (subject, facts) => {
    if (!isBuried(subject.server.value)) {
      const ran = await managed(facts, 'verify_instance', '--uuid', subject.id);
      return ran.ok ? observed(verifiedIn(ran.value.result.stdout), ran.value.evidence) : ran;
    }
    const [services, cells, mappings] = await Promise.all([
      facts.get(computeServices, theCloud),
      facts.get(cellList, theCloud),
      facts.get(hostMappings, theCloud),
    ]);
    const computes = services.ok ? services.value.value.filter((s) => s.binary === 'nova-compute') : [];
    const evidence: Evidence[] = [];
    const host = await buriedOn(facts, subject.id, computes, evidence);
    const hosts = host === undefined ? computes.filter((s) => s.status === 'UNKNOWN').map((s) => s.host) : [host];
    const uuids = mappings.ok ? new Set(hosts.flatMap((each) => mappings.value.value.get(each) ?? [])) : new Set();
    const cell = cells.ok && uuids.size === 1 ? cells.value.value.find(({ uuid }) => uuids.has(uuid)) : undefined;
    if (cell !== undefined && mappings.ok) {
      const words = `${host ?? [...hosts].join(', ')} in ${cell.name}`;
      evidence.push(...mappings.value.evidence.map((each) => showing(each, words)));
    }
    if (services.ok && evidence.length === 0) evidence.push(...services.value.evidence);
    return ok({
      value: {
        ...(cell === undefined ? {} : { cell: { name: cell.name, uuid: cell.uuid } }),
        ...(host === undefined ? {} : { host }),
      },
      evidence,
    });
  },
);

/** The cell of an instance that is buried in one that does not answer; of any other it is nobody's question in a walk for its network. */
export const buriedCell = source<InstanceSubject, InstanceCell>(
  'instance.buried-cell',
  (s) => s.id,
  async (subject, facts) =>
    isBuried(subject.server.value)
      ? facts.get(instanceCell, subject)
      : err({ kind: 'unsupported', because: 'its cell answers' }),
);
