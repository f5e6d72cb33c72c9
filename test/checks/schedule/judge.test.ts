import { describe, expect, it } from 'vitest';
import { scheduleFinding } from '../../../src/checks/schedule/judge.ts';
import type { Evidence } from '../../../src/engine/evidence.ts';
import type { Finding } from '../../../src/engine/finding.ts';
import type { HostVerdict, Schedule } from '../../../src/engine/schedule.ts';
import { fits, noRam, rejects, row, unknown } from '../../report/schedule/samples.ts';
import { fewer, leftNone, lessMemory, narrowed, over, question, relaxing, stopped, stray } from './requests.ts';

const at = '2026-11-21T12:00:00.000Z';
const answer: Evidence = {
  source: {
    kind: 'api',
    service: 'placement',
    method: 'GET',
    path: '/allocation_candidates?limit=1000&resources=VCPU%3A1',
    status: 200,
  },
  at,
  excerpt: '{"provider_summaries":{}}',
};

const found = (schedule: Schedule): Finding | undefined =>
  scheduleFinding(schedule, {
    evidence: [answer],
    said: [],
    scope: { instance: ['i'] },
    at,
    verify: 'ostk-doctor schedule huge-1',
  });

describe('the finding about a request', () => {
  it('names what is missing where, with the words of Nova and the answer of Placement', () => {
    const finding = found(noRam);
    expect(finding?.summary).toContain('40000 MB of memory');
    expect(finding?.summary).toContain('Placement gives no candidate');
    expect(finding?.scope).toEqual({ instance: ['i'], host: ['cmp2', 'cmp1'] });
    expect(finding?.evidence.map((e) => e.source.kind)).toEqual(['api', 'derived']);
    expect(finding?.evidence[1]?.excerpt).toBe(
      'cmp2: wants 40000 MB of memory, has 10010 MB free of 12010 MB\ncmp1: wants 40000 MB of memory, has 9690 MB free of 12010 MB',
    );
  });

  it('says of a move to another cell that Nova makes none, and what is left', () => {
    const wanted = 'a host in cell1: Nova moves no instance to another cell';
    const far: HostVerdict = {
      state: 'rejects',
      of: 'host',
      because: 'in cell2, the instance in cell1',
      wanted,
      has: 'cell2',
    };
    const finding = found({
      ...noRam,
      asked: { ...noRam.asked, movesFrom: 'cmp1' },
      columns: [{ id: 'cell', kind: 'cell', title: 'cell' }],
      rows: [{ hosts: ['far'], verdicts: [far], stoppedAt: 0, fits: 'no' }],
      narrowest: 0,
      relaxations: [],
      said: [],
    });
    expect(finding).toMatchObject({
      code: 'OSD-SCHED-009',
      summary: `huge-1 cannot move as asked: far is in cell2, and it needs ${wanted}`,
    });
    expect(JSON.stringify(finding?.remedies)).toContain('compute:servers:resize:cross_cell');
  });

  it('relates a cloud of thousands to no host', () => {
    const hosts = Array.from({ length: 5000 }, (_, i) => `cmp${i}`);
    const finding = found(narrowed('placement', row(hosts, stopped('placement', over('resource')))));
    expect(finding?.scope).toEqual({ instance: ['i'] });
    expect(finding?.summary.length).toBeLessThan(400);
  });

  it('is about the allocation that holds the room, and no more than likely', () => {
    const finding = found(relaxing(noRam, [lessMemory], [stray]));
    expect(finding).toMatchObject({ subject: 'allocation c0ffee', confidence: 'likely' });
    expect(finding?.summary).toContain('in Placement c0ffee holds the room');
  });

  it('is about the request where there is no instance yet', () => {
    expect(found(question(noRam))).toMatchObject({
      subject: 'request for huge-1',
      summary: expect.stringMatching(/^No host for a request with flavor m1\.huge: /),
    });
  });

  it('says for how many there is room', () => {
    const asked = { ...noRam.asked, count: 5 };
    expect(found(relaxing({ ...noRam, asked }, [fewer]))?.summary).toBe(
      'No host for huge-1: 5 instances at once are more than there is room for, which is for 2',
    );
  });

  it('says what stands against each host, and which filter it is', () => {
    const schedule = narrowed(
      'ComputeFilter',
      row(['cmp1'], stopped('ComputeFilter', rejects('service', 'disabled: broken fan', 'enabled', 'disabled'))),
      row(['cmp2'], stopped('ComputeFilter', rejects('service', 'down', 'up', 'down'))),
    );
    expect(found(schedule)?.summary).toBe(
      'No host for huge-1: disabled: broken fan on cmp1; down on cmp2 (ComputeFilter)',
    );
  });

  it('names a filter that cannot be seen, and where its words are', () => {
    const rows = [row(['cmp1'], stopped('NUMATopologyFilter', unknown('cells', 'log')))];
    const finding = found({ ...leftNone, rows, relaxations: [] });
    expect(finding?.summary).toContain("NUMATopologyFilter left none by Nova's own log");
    expect(finding?.remedies).toEqual([
      expect.objectContaining({
        sufficient: false,
        steps: [
          expect.objectContaining({
            where: { kind: 'host', host: 'ctl' },
            argv: ['grep', '-rhF', '-e', noRam.asked.instance, '/var/log/nova'],
          }),
        ],
      }),
    ]);
    const asked = found(question({ ...leftNone, rows, relaxations: [] }));
    expect(asked?.remedies[0]?.steps[0]?.argv).toContain('req-78f0c2d4-1111-4a5b-8c1d-0123456789ab');
  });

  it('is certain only where Nova or Placement agree', () => {
    expect(found(noRam)?.confidence).toBe('certain');
    const alone = narrowed('placement', row(['cmp1'], stopped('placement', over('resource'))));
    expect(found(alone)?.confidence).toBe('certain');
    expect(found({ ...alone, notes: ['the log says otherwise'] })?.confidence).toBe('likely');
  });

  it('is none where a host fits, or where nobody knows', () => {
    expect(found(fits)).toBeUndefined();
    expect(found({ ...noRam, verdict: 'unknown', said: [] })).toBeUndefined();
  });
});
