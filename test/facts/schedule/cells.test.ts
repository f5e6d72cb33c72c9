import { describe, expect, it } from 'vitest';
import type { FactResult } from '../../../src/engine/fact.ts';
import {
  cellList,
  hostMappings,
  type InstanceCell,
  instanceCell,
  verifiedIn,
} from '../../../src/facts/schedule/cells.ts';
import { explainedInstance } from '../../../src/facts/schedule/explained.ts';
import { theCloud } from '../../../src/facts/subject.ts';
import { type Body, type CaseOptions, caseOf, recorded } from './recorded-case.ts';

const cell1 = { name: 'cell1', uuid: 'a61e7889-06dd-4798-a9df-d0994858bcaa' };
const cell2 = { name: 'cell2', uuid: '741388e0-c45f-40b3-963a-59623aa36f99' };

const told = <T>(fact: FactResult<T>): T => {
  if (!fact.ok) throw new Error(JSON.stringify(fact.error));
  return fact.value.value;
};

describe('the cells', () => {
  it('are read from the table of nova-manage by its columns, without cell0, and shown without their URLs', async () => {
    const { facts, asked } = caseOf('ram');
    const cells = await facts.get(cellList, theCloud);
    expect(told(cells)).toEqual([
      { ...cell1, disabled: false },
      { ...cell2, disabled: false },
    ]);
    const [evidence] = cells.ok ? cells.value.evidence : [];
    expect(evidence?.excerpt).toBe(`cell1 ${cell1.uuid}\ncell2 ${cell2.uuid}`);
    expect(asked.commands.filter((c) => c.includes('nova-manage'))).toEqual(['nova-manage cell_v2 list_cells']);
  });

  it('have a name in older releases, and nothing else: none is disabled', async () => {
    const listCells = ['+--+--+', '|  Name |  UUID |', '+--+--+', `| cell1 | ${cell1.uuid} |`, '+--+--+'].join('\n');
    const { facts } = caseOf('ram', { listCells });
    expect(told(await facts.get(cellList, theCloud))).toEqual([{ ...cell1, disabled: false }]);
  });

  it('have hosts', async () => {
    const hosts = told(await caseOf('ram').facts.get(hostMappings, theCloud));
    expect([...hosts].map(([host, cell]) => [host, cell === cell2.uuid])).toEqual([
      ['cmp1', false],
      ['cmp2', false],
      ['sched-c2', true],
      ['sched-f1', false],
      ['sched-f2', false],
    ]);
  });

  it('are asked for by the tool of DevStack where there is no other', async () => {
    const { facts, asked } = caseOf('ram', {
      run: ({ argv }) => (argv[0]?.endsWith('/bin/nova-manage') ? { code: 0, stdout: '' } : undefined),
      missing: ['nova-manage'],
    });
    expect(told(await facts.get(cellList, theCloud))).toEqual([]);
    expect(asked.commands.at(-1)).toBe('/opt/stack/data/venv/bin/nova-manage cell_v2 list_cells');
  });

  it('cannot be told where nova-manage fails', async () => {
    const { facts } = caseOf('ram', {
      run: ({ argv }) =>
        argv[0] === 'nova-manage'
          ? { code: 255, stdout: 'An error has occurred:\nDBConnectionError: refused\n' }
          : undefined,
    });
    expect(await facts.get(cellList, theCloud)).toMatchObject({
      ok: false,
      error: { kind: 'command', code: 255, detail: 'DBConnectionError: refused' },
    });
  });
});

describe('where an instance is', () => {
  const id = 'b0f5a0b2-76a7-4a8c-8b37-3e1d3a4d2f10';

  it.each<[string, InstanceCell]>([
    [`Instance ${id} is in cell: cell1 (${cell1.uuid})\n`, { cell: cell1 }],
    [`Instance ${id} is in cell: None (${cell1.uuid})\n`, { cell: { name: cell1.uuid, uuid: cell1.uuid } }],
    [`Instance ${id} is not mapped to a cell\n`, { words: `Instance ${id} is not mapped to a cell` }],
    [
      `The instance with uuid ${id} has been deleted.\nExecute \`nova-manage db archive_deleted_rows\` command to archive this deleted instance and remove its instance_mapping.\n`,
      {
        words: `The instance with uuid ${id} has been deleted. Execute \`nova-manage db archive_deleted_rows\` command to archive this deleted instance and remove its instance_mapping.`,
      },
    ],
  ])('is what nova-manage says: %s', (stdout, expected) => {
    expect(verifiedIn(stdout)).toEqual(expected);
  });

  it('is cell0 where it never got a host, which the schedule says', async () => {
    const verifyInstance = `Instance ${id} is in cell: cell0 (00000000-0000-0000-0000-000000000000)\n`;
    const { facts, subject, asked } = caseOf('ram', { verifyInstance });
    expect(told(await facts.get(instanceCell, subject)).cell?.name).toBe('cell0');
    const { notes } = told(await facts.get(explainedInstance, subject));
    expect(notes).toContain('It is in cell0: there Nova keeps instances that never got a host.');
    expect(asked.commands).toContain(`nova-manage cell_v2 verify_instance --uuid ${subject.id}`);
  });

  it('is not known to who may not log in anywhere, and the schedule is explained all the same', async () => {
    const { facts, subject } = caseOf('ram', { withoutNodes: true });
    expect(await facts.get(instanceCell, subject)).toMatchObject({ ok: false, error: { kind: 'unreachable' } });
    expect(told(await facts.get(explainedInstance, subject)).verdict).toBe('no-host');
  });
});

describe('an instance in a cell that does not answer', () => {
  const services = (): Body => {
    const body = recorded('ram/os-services.json');
    body.services = body.services.map((s: Body) =>
      s.host === 'sched-c2' ? { binary: s.binary, host: s.host, status: 'UNKNOWN' } : s,
    );
    return body;
  };
  const provider = recorded('ram/providers.json').resource_providers.find((p: Body) => p.name === 'sched-c2');

  /** As Nova shows it since 2.69: no name, no host. */
  const buried = (options: CaseOptions = {}) => {
    const { subject, ...rest } = caseOf('ram', {
      ...options,
      answers: { '/os-services': services(), ...options.answers },
    });
    const { id, tenant_id, created, flavor } = subject.server.value;
    const value = { id, name: id, status: 'UNKNOWN', tenant_id, created, flavor };
    return { ...rest, subject: { ...subject, name: id, server: { ...subject.server, value } } };
  };
  const placed = (subject: { readonly id: string }): NonNullable<CaseOptions['answers']> => ({
    [`/allocations/${subject.id}`]: { allocations: { [provider.uuid]: { resources: {} } } },
    [`/resource_providers/${provider.uuid}`]: provider,
  });

  it('is where Placement holds room for it, and nova-manage is not kept waiting for its database', async () => {
    const { facts, subject, asked } = buried({ answers: placed(caseOf('ram').subject) });
    const fact = await facts.get(instanceCell, subject);
    expect(told(fact)).toEqual({ cell: cell2, host: 'sched-c2' });
    expect(asked.commands.join('\n')).not.toContain('verify_instance');
    expect(fact.ok && fact.value.evidence.at(-1)?.excerpt).toBe('sched-c2 in cell2');
  });

  it('is in the only cell that is down, where Placement holds nothing', async () => {
    const { facts, subject } = buried();
    expect(told(await facts.get(instanceCell, subject))).toEqual({ cell: cell2 });
  });

  it('has a host, and no cell by name, for who may not log in', async () => {
    const { facts, subject } = buried({ withoutNodes: true, answers: placed(caseOf('ram').subject) });
    expect(told(await facts.get(instanceCell, subject))).toEqual({ host: 'sched-c2' });
  });

  it('asked for no zone by the name of UNKNOWN', async () => {
    const { facts, subject } = buried({
      answers: {
        [`/servers/${caseOf('ram').subject.id}`]: {
          server: { id: 'x', status: 'UNKNOWN', 'OS-EXT-AZ:availability_zone': 'UNKNOWN' },
        },
      },
    });
    expect(told(await facts.get(explainedInstance, subject)).asked.zone).toBeUndefined();
  });
});
