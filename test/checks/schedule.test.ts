import { describe, expect, it } from 'vitest';
import { allFindingSpecs } from '../../src/checks/registry.ts';
import { scheduleFinding } from '../../src/checks/schedule/judge.ts';
import { reasonOf } from '../../src/checks/schedule/reason.ts';
import type { Evidence } from '../../src/engine/evidence.ts';
import type { Finding } from '../../src/engine/finding.ts';
import type { HostVerdict, RejectedOver, Relaxation, Schedule, ScheduleChange } from '../../src/engine/schedule.ts';
import { columns, fits, noRam, passes, rejects, row, unknown } from '../report/schedule/samples.ts';

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
const codeOf = (schedule: Schedule): string | undefined => reasonOf(schedule)?.spec.code;

const stopped = (id: string, verdict: HostVerdict): HostVerdict[] =>
  columns.map((column) => (column.id === id ? verdict : passes));
const over = (of: RejectedOver): HostVerdict => rejects(of, `of ${of}`, `wanted ${of}`, `has ${of}`);
const narrowed = (id: string, ...rows: Schedule['rows']): Schedule => ({
  ...noRam,
  rows,
  narrowest: columns.findIndex((c) => c.id === id),
  relaxations: [],
  said: [],
});
const relaxing = (schedule: Schedule, ...sets: ScheduleChange[][]): Schedule => ({
  ...schedule,
  relaxations: sets.map((changes): Relaxation => ({ changes, hosts: ['cmp1'], proof: 'computed', words: 'otherwise' })),
});
const lessMemory: ScheduleChange = { kind: 'resource', on: 'request', resource: 'MEMORY_MB', asked: 4, atMost: 2 };
const enable: ScheduleChange = { kind: 'service-enabled', on: 'cloud', host: 'cmp1' };
const otherImage: ScheduleChange = { kind: 'image-property', on: 'request', key: 'hw_architecture', value: 'arm' };
const stray: ScheduleChange = { kind: 'allocation', on: 'cloud', consumer: 'c0ffee', providers: ['p'] };

describe('why a request has no host', () => {
  it.each([
    ['resource', 'OSD-SCHED-001'],
    ['trait', 'OSD-SCHED-002'],
    ['aggregate', 'OSD-SCHED-003'],
    ['service', 'OSD-SCHED-004'],
    ['zone', 'OSD-SCHED-005'],
    ['extra-spec', 'OSD-SCHED-006'],
    ['image', 'OSD-SCHED-007'],
    ['group', 'OSD-SCHED-008'],
    ['host', 'OSD-SCHED-009'],
    ['hint', 'OSD-SCHED-009'],
    ['unmapped', 'OSD-SCHED-010'],
    ['cell', 'OSD-SCHED-012'],
    ['build', 'OSD-SCHED-013'],
    ['network', 'OSD-SCHED-014'],
    ['log', 'OSD-SCHED-015'],
    ['device', 'OSD-SCHED-001'],
  ] as const)('is told by what the last hosts are rejected over: %s', (of, code) => {
    expect(codeOf(narrowed('ComputeFilter', row(['cmp1'], stopped('ComputeFilter', over(of)))))).toBe(code);
  });

  it('is what the hosts lack that were chosen, not that the others were not', () => {
    const schedule = narrowed(
      'placement',
      row(['cmp1'], stopped('placement', over('resource'))),
      row(['cmp2', 'cmp3'], stopped('placement', over('zone'))),
    );
    expect(codeOf(schedule)).toBe('OSD-SCHED-001');
    expect(found(schedule)?.summary).toContain('cmp1');
  });

  it('is the last step, not those that dropped other hosts before', () => {
    const schedule = narrowed(
      'ImagePropertiesFilter',
      row(['cmp2'], stopped('placement', over('resource'))),
      row(['cmp1'], stopped('ImagePropertiesFilter', over('image'))),
    );
    expect(codeOf(schedule)).toBe('OSD-SCHED-007');
  });

  it('is what the smallest change would mend, where hosts are rejected over different things at once', () => {
    const schedule = narrowed(
      'placement',
      row(['cmp1'], stopped('placement', over('service'))),
      row(['cmp2', 'cmp3'], stopped('placement', over('resource'))),
    );
    expect(codeOf(schedule)).toBe('OSD-SCHED-001');
    expect(codeOf(relaxing(schedule, [enable], [lessMemory]))).toBe('OSD-SCHED-004');
  });

  it('is an allocation of nothing, where the room would be enough without it', () => {
    const schedule = relaxing(noRam, [lessMemory], [stray]);
    expect(codeOf(schedule)).toBe('OSD-SCHED-011');
    expect(found(schedule)).toMatchObject({ subject: 'allocation c0ffee', confidence: 'likely' });
  });

  it('is several things together only where no change of one kind helps', () => {
    expect(codeOf(relaxing(noRam, [lessMemory, otherImage]))).toBe('OSD-SCHED-016');
    expect(codeOf(relaxing(noRam, [lessMemory, { ...lessMemory, resource: 'VCPU' }]))).toBe('OSD-SCHED-001');
    expect(codeOf(relaxing(noRam, [lessMemory, otherImage], [enable]))).toBe('OSD-SCHED-001');
  });

  it('is the count, where fewer would fit', () => {
    const fewer: ScheduleChange = { kind: 'count', on: 'request', asked: 5, atMost: 2 };
    const schedule = relaxing({ ...noRam, asked: { ...noRam.asked, count: 5 } }, [fewer]);
    expect(codeOf(schedule)).toBe('OSD-SCHED-017');
  });

  it('is the build, where Nova tried hosts, however little room there is now', () => {
    const tried = { kind: 'retries', host: 'ctl', filters: [], line: 'Exceeded max scheduling attempts' } as const;
    expect(codeOf({ ...noRam, said: [tried] })).toBe('OSD-SCHED-013');
    expect(codeOf({ ...fits, said: [tried] })).toBe('OSD-SCHED-013');
  });

  it('is a filter that cannot be computed, where the log says that it left none', () => {
    const said = {
      kind: 'filtered',
      host: 'ctl',
      filters: [{ name: 'NUMATopologyFilter', start: 2, end: 0 }],
      line: 'x',
    } as const;
    const schedule: Schedule = {
      ...noRam,
      rows: [row(['cmp1'], stopped('NUMATopologyFilter', unknown('cells', 'log')))],
      verdict: 'unknown',
      said: [said],
    };
    expect(codeOf(schedule)).toBe('OSD-SCHED-015');
    expect(found(schedule)?.summary).toContain('NUMATopologyFilter');
  });

  it('is not told where a host fits, or where nobody knows', () => {
    expect(found(fits)).toBeUndefined();
    expect(found({ ...noRam, verdict: 'unknown', said: [] })).toBeUndefined();
  });
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

  it('has each relaxation as a remedy with the hosts it would give, and calls none sufficient that needs a second step', () => {
    const remedies = found(relaxing(noRam, [lessMemory], [enable]))?.remedies ?? [];
    expect(remedies.map((r) => [r.fits, r.sufficient])).toEqual([
      [['cmp1'], false],
      [['cmp1'], false],
    ]);
    const { instance: _, ...question } = noRam.asked;
    const asked = found(relaxing({ ...noRam, asked: question }, [lessMemory], [enable]))?.remedies ?? [];
    expect(asked.map((r) => r.sufficient)).toEqual([false, true]);
  });

  it('relates a cloud of thousands to no host', () => {
    const hosts = Array.from({ length: 5000 }, (_, i) => `cmp${i}`);
    const finding = found(narrowed('placement', row(hosts, stopped('placement', over('resource')))));
    expect(finding?.scope).toEqual({ instance: ['i'] });
    expect(finding?.summary.length).toBeLessThan(400);
  });
});

describe('the codes of a schedule', () => {
  it('are seventeen, each told of the instance in ERROR as well', () => {
    const specs = allFindingSpecs.filter((s) => s.code.startsWith('OSD-SCHED-'));
    expect(specs).toHaveLength(17);
    for (const s of specs) expect(s.explains.map((e) => e.code)).toEqual(['OSD-VM-002', 'OSD-VM-005']);
  });
});
