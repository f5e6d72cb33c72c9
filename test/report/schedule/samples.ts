import type { HostVerdict, RejectedOver, Schedule, ScheduleRow } from '../../../src/engine/schedule.ts';

export const passes: HostVerdict = { state: 'passes' };
export const rejects = (of: RejectedOver, because: string, wanted: string, has: string): HostVerdict => ({
  state: 'rejects',
  of,
  because,
  wanted,
  has,
});
export const unknown = (because: string, tells: string): HostVerdict => ({ state: 'unknown', because, tells });

export const row = (hosts: readonly string[], verdicts: readonly HostVerdict[]): ScheduleRow => {
  const stoppedAt = verdicts.findIndex((v) => v.state === 'rejects');
  const fits = stoppedAt >= 0 ? 'no' : verdicts.some((v) => v.state === 'unknown') ? 'unknown' : 'yes';
  return { hosts, verdicts, fits, ...(stoppedAt < 0 ? {} : { stoppedAt }) };
};

export const columns: Schedule['columns'] = [
  { id: 'placement', kind: 'placement', title: 'placement' },
  { id: 'cell', kind: 'cell', title: 'cell' },
  { id: 'ComputeFilter', kind: 'filter', title: 'compute' },
  { id: 'AvailabilityZoneFilter', kind: 'filter', title: 'az' },
  { id: 'ComputeCapabilitiesFilter', kind: 'filter', title: 'capabilities' },
  { id: 'ImagePropertiesFilter', kind: 'filter', title: 'image' },
  { id: 'ServerGroupAntiAffinityFilter', kind: 'filter', title: 'anti-affinity' },
  { id: 'NUMATopologyFilter', kind: 'filter', title: 'numa' },
  { id: 'network', kind: 'network', title: 'network' },
];

const all = (verdict: Partial<Record<string, HostVerdict>>): HostVerdict[] =>
  columns.map(({ id }) => verdict[id] ?? passes);

const ram = (free: number): HostVerdict =>
  rejects('resource', `40000 > ${free} MB`, '40000 MB of memory', `${free} MB free of 12010 MB`);

const asked: Schedule['asked'] = {
  name: 'huge-1',
  instance: '6f0c9a52-0d0e-4d4b-8c5e-0a4a1f5b7c11',
  flavor: 'm1.huge',
  vcpus: 1,
  ramMb: 40_000,
  diskGb: 1,
  image: 'cirros',
  count: 1,
};

const base: Schedule = {
  asked,
  columns,
  rows: [],
  hosts: 2,
  verdict: 'no-host',
  filters: { from: 'configuration', where: '/etc/nova/nova.conf on ctl' },
  relaxations: [],
  said: [],
  notes: [],
};

export const noRam: Schedule = {
  ...base,
  rows: [row(['cmp2'], all({ placement: ram(10_010) })), row(['cmp1'], all({ placement: ram(9690) }))],
  narrowest: 0,
  relaxations: [
    {
      changes: [{ kind: 'resource', on: 'request', resource: 'MEMORY_MB', asked: 40_000, atMost: 10_010 }],
      hosts: ['cmp2'],
      proof: 'placement',
      words: 'memory ≤ 10010 MB',
    },
  ],
  said: [
    {
      kind: 'no-candidates',
      host: 'ctl',
      filters: [],
      line: '2026-11-21 12:00:01.000 911 INFO nova.scheduler.manager [None req-78f0c2d4-1111-4a5b-8c1d-0123456789ab demo demo] Got no allocation candidates from the Placement API.',
    },
  ],
};

export const fits: Schedule = {
  ...base,
  asked: { name: 'm1.tiny', flavor: 'm1.tiny', vcpus: 1, ramMb: 128, diskGb: 1, count: 1 },
  rows: [
    row(['cmp1', 'cmp2'], all({})),
    row(['cmp3'], all({ ComputeFilter: rejects('service', 'disabled: maintenance', 'enabled', 'disabled') })),
  ],
  hosts: 3,
  verdict: 'fits',
  filters: { from: 'defaults', where: 'defaults of Nova zed' },
};

export const mixed: Schedule = {
  ...base,
  asked: { ...asked, name: 'mixed-1', zone: 'az1', count: 3 },
  rows: [
    row(
      ['cmp4'],
      all({
        NUMATopologyFilter: unknown('hw:numa_nodes, and cells are not told', 'the log of nova-scheduler at DEBUG'),
        network: rejects('network', 'no live agent plugs physnet9', 'physnet9', 'physnet1'),
      }),
    ),
    row(
      ['cmp3'],
      all({ ImagePropertiesFilter: rejects('image', 'aarch64 is not x86_64', 'architecture aarch64', 'x86_64') }),
    ),
    row(
      ['cmp1', 'cmp2'],
      all({ AvailabilityZoneFilter: rejects('zone', 'in nova, not in az1', 'zone az1', 'zone nova') }),
    ),
  ],
  hosts: 4,
  narrowest: 8,
  notes: ['The log says that ImagePropertiesFilter left 2 hosts, computed is 1.'],
};

export const cannot: Schedule = {
  ...base,
  rows: [
    row(['cmp1'], all({ NUMATopologyFilter: unknown('cells are not told', 'the log of nova-scheduler at DEBUG') })),
    row(['cmp2'], all({ placement: ram(9690) })),
  ],
  verdict: 'unknown',
};

/** Hosts of which each has another amount free. */
export const wide: Schedule = {
  ...base,
  rows: Array.from({ length: 612 }, (_, i) =>
    row([`rack${String(i % 40).padStart(2, '0')}-cmp${String(i).padStart(4, '0')}`], all({ placement: ram(100 + i) })),
  ),
  hosts: 612,
  narrowest: 0,
};

export const schedules = { noRam, fits, mixed, cannot, wide } as const;
