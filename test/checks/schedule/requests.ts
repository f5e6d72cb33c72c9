import type { HostVerdict, RejectedOver, Relaxation, Schedule, ScheduleChange } from '../../../src/engine/schedule.ts';
import { columns, noRam, passes, rejects } from '../../report/schedule/samples.ts';

/** The verdicts of a host that one step stops, or leaves open. */
export const stopped = (id: string, verdict: HostVerdict): HostVerdict[] =>
  columns.map((column) => (column.id === id ? verdict : passes));

export const over = (of: RejectedOver): HostVerdict => rejects(of, `of ${of}`, `wanted ${of}`, `has ${of}`);

/** A request whose last hosts are lost at a step; Nova said nothing of it, and no change is known that would help. */
export const narrowed = (id: string, ...rows: Schedule['rows']): Schedule => ({
  ...noRam,
  rows,
  narrowest: columns.findIndex((c) => c.id === id),
  relaxations: [],
  said: [],
});

export const relaxation = (...changes: ScheduleChange[]): Relaxation => ({
  changes,
  hosts: ['cmp1'],
  proof: 'computed',
  words: 'otherwise',
});

export const relaxing = (schedule: Schedule, ...sets: ScheduleChange[][]): Schedule => ({
  ...schedule,
  relaxations: sets.map((changes) => relaxation(...changes)),
});

/** The same request, of which there is no instance yet. */
export const question = (schedule: Schedule): Schedule => {
  const { instance: _, ...asked } = schedule.asked;
  return { ...schedule, asked };
};

export const lessMemory = {
  kind: 'resource',
  on: 'request',
  resource: 'MEMORY_MB',
  asked: 4,
  atMost: 2,
} as const satisfies ScheduleChange;
export const otherImage = {
  kind: 'image-property',
  on: 'request',
  key: 'hw_architecture',
  value: 'arm',
} as const satisfies ScheduleChange;
export const fewer = { kind: 'count', on: 'request', asked: 5, atMost: 2 } as const satisfies ScheduleChange;
export const enable = { kind: 'service-enabled', on: 'cloud', host: 'cmp1' } as const satisfies ScheduleChange;
export const stray = {
  kind: 'allocation',
  on: 'cloud',
  consumer: 'c0ffee',
  providers: ['p'],
} as const satisfies ScheduleChange;

/** A filter that cannot be computed, and of which Nova's log says that it left no host. */
export const leftNone: Schedule = {
  ...noRam,
  rows: [],
  verdict: 'unknown',
  said: [
    {
      kind: 'filtered',
      host: 'ctl',
      filters: [{ name: 'NUMATopologyFilter', start: 2, end: 0 }],
      line: '2026-11-21 12:00:01.000 911 INFO nova.filters [None req-78f0c2d4-1111-4a5b-8c1d-0123456789ab demo demo] Filter NUMATopologyFilter returned 0 hosts',
    },
  ],
};
