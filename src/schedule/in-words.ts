import type { Schedule } from '../engine/schedule.ts';

const mostHosts = 6;

/** `cmp1, cmp2`, or the first few and how many more. */
export const hostWords = (hosts: readonly string[]): string =>
  hosts.length <= mostHosts
    ? hosts.join(', ')
    : `${hosts.slice(0, mostHosts).join(', ')} and ${hosts.length - mostHosts} more`;

/** `flavor m1.huge · 1 vcpu · 40000 MB · 1 GB · image cirros · zone nova`. */
export const requestWords = ({ asked }: Schedule): string =>
  [
    `flavor ${asked.flavor}`,
    `${asked.vcpus} vcpu${asked.vcpus === 1 ? '' : 's'}`,
    `${asked.ramMb} MB`,
    `${asked.diskGb} GB`,
    ...(asked.image === undefined ? [] : [`image ${asked.image}`]),
    ...(asked.zone === undefined ? [] : [`zone ${asked.zone}`]),
    ...(asked.count === 1 ? [] : [`${asked.count} instances`]),
  ].join(' · ');

const fitting = ({ rows }: Schedule, fits: 'yes' | 'unknown'): readonly string[] =>
  rows
    .filter((row) => row.fits === fits)
    .flatMap((row) => row.hosts)
    .sort();

/** What the schedule comes to, in one line. */
export function fitsWords(schedule: Schedule): string {
  const { hosts, verdict } = schedule;
  const of = (found: readonly string[]): string =>
    `${hostWords(found)} (${found.length} of ${hosts} host${hosts === 1 ? '' : 's'})`;
  switch (verdict) {
    case 'fits':
      return `FITS on ${of(fitting(schedule, 'yes'))}`;
    case 'no-host':
      return `FITS on none of ${hosts} host${hosts === 1 ? '' : 's'}`;
    case 'unknown': {
      const maybe = fitting(schedule, 'unknown');
      return maybe.length === 0 ? 'CANNOT BE TOLD' : `CANNOT BE TOLD for ${of(maybe)}`;
    }
  }
}

/** Whence the list of steps. */
export const filtersWords = ({ filters }: Schedule): string =>
  filters.from === 'configuration' ? `filters as ${filters.where} has them` : `filters are the ${filters.where}`;
