import { describe, expect, it } from 'vitest';
import { filterOpaque } from '../../../src/checks/schedule/codes.ts';
import { reasonOf, specOfChange } from '../../../src/checks/schedule/reason.ts';
import type { Schedule, ScheduleChange } from '../../../src/engine/schedule.ts';
import { columns, fits, noRam, passes, row, unknown } from '../../report/schedule/samples.ts';
import {
  enable,
  fewer,
  leftNone,
  lessMemory,
  narrowed,
  otherImage,
  over,
  relaxing,
  stopped,
  stray,
} from './requests.ts';

const codeOf = (schedule: Schedule): string | undefined => reasonOf(schedule)?.spec.code;

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
    expect(reasonOf(schedule)?.over.flatMap(({ hosts }) => hosts)).toEqual(['cmp1']);
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
  });

  it('is several things together only where no change of one kind helps', () => {
    expect(codeOf(relaxing(noRam, [lessMemory, otherImage]))).toBe('OSD-SCHED-016');
    expect(codeOf(relaxing(noRam, [lessMemory, { ...lessMemory, resource: 'VCPU' }]))).toBe('OSD-SCHED-001');
    expect(codeOf(relaxing(noRam, [lessMemory, otherImage], [enable]))).toBe('OSD-SCHED-001');
  });

  it('is the count, where fewer would fit', () => {
    const schedule = relaxing({ ...noRam, asked: { ...noRam.asked, count: 5 } }, [fewer]);
    expect(codeOf(schedule)).toBe('OSD-SCHED-017');
  });

  it('is the build, where Nova tried hosts, however little room there is now', () => {
    const tried = { kind: 'retries', host: 'ctl', filters: [], line: 'Exceeded max scheduling attempts' } as const;
    expect(codeOf({ ...noRam, said: [tried] })).toBe('OSD-SCHED-013');
    expect(codeOf({ ...fits, said: [tried] })).toBe('OSD-SCHED-013');
  });

  it('is a filter that cannot be computed, where the log says that it left none', () => {
    const rows = [row(['cmp1'], stopped('NUMATopologyFilter', unknown('cells', 'log')))];
    expect(reasonOf({ ...leftNone, rows })).toEqual({
      spec: filterOpaque,
      column: columns.findIndex((column) => column.id === 'NUMATopologyFilter'),
      over: [],
    });
    expect(codeOf({ ...leftNone, rows: [row(['cmp1'], stopped('NUMATopologyFilter', passes))] })).toBeUndefined();
  });

  it('is not told where a host fits, or where nobody knows', () => {
    expect(reasonOf(fits)).toBeUndefined();
    expect(reasonOf({ ...noRam, verdict: 'unknown', said: [] })).toBeUndefined();
  });
});

describe('what a change would mend', () => {
  const extraSpec = (key: string): ScheduleChange => ({ kind: 'extra-spec', on: 'request', key, value: '1' });

  it.each([
    ['memory', lessMemory, '001'],
    ['a resource class among the extra specs', extraSpec('resources:VGPU'), '001'],
    ['one of a numbered group', extraSpec('resources2:VGPU'), '001'],
    ['a trait among the extra specs', extraSpec('trait:CUSTOM_GPU'), '002'],
    ['a trait of a named group', extraSpec('trait_fast:CUSTOM_GPU'), '002'],
    ['any other extra spec', extraSpec('hw:cpu_policy'), '006'],
    ['a trait of the image', { ...otherImage, key: 'trait:CUSTOM_GPU' }, '002'],
    ['any other property of it', otherImage, '007'],
    ['a service', enable, '004'],
    ['an allocation', stray, '011'],
    ['the count', fewer, '017'],
  ] as const)('is told by what it changes: %s', (_, change, number) => {
    expect(specOfChange(change).code).toBe(`OSD-SCHED-${number}`);
  });
});
