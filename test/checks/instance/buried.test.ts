import { describe, expect, it } from 'vitest';
import { buriedFinding } from '../../../src/checks/instance/buried.ts';
import type { Server } from '../../../src/facts/schemas/compute.ts';
import type { InstanceSubject } from '../../../src/facts/subject.ts';
import { seen } from '../ovn/stub.ts';

const id = 'd57ba885-d5d6-4400-848e-853d957746c4';
/** What Nova shows of an instance in a cell that does not answer (microversion 2.69). */
const server = { value: { id, name: id, status: 'UNKNOWN' } as Server, evidence: [seen('ctl', 'GET', '/servers')] };
const subject: InstanceSubject = { kind: 'instance', id, name: id, server };
const told = (located?: Parameters<typeof buriedFinding>[0]['located']) =>
  buriedFinding({ subject, server, ...(located === undefined ? {} : { located }), verify: `ostk-doctor net ${id}` });

describe('an instance that is buried in a cell that does not answer', () => {
  it('is told with its cell and its host, where somebody can say them', () => {
    const found = told({
      value: { cell: { name: 'cell2', uuid: 'c2' }, host: 'sched-c2' },
      evidence: [seen('ctl', 'nova-manage', 'cell_v2', 'list_hosts')],
    });
    expect(found.code).toBe('OSD-VM-010');
    expect(found.subject).toBe('cell cell2');
    expect(found.summary).toContain('by Placement it is on sched-c2');
    expect(found.scope.host).toEqual(['sched-c2']);
    expect(found.evidence).toHaveLength(2);
  });

  it('is told without them, and nothing is made up', () => {
    const found = told();
    expect(found.subject).toBe(`instance ${id}`);
    expect(found.summary).toBe(
      `The cell of ${id} does not answer: of the instance Nova shows status UNKNOWN, and neither name nor host`,
    );
    expect(found.remedies.every((r) => !r.sufficient)).toBe(true);
  });
});
