import { compareMicroversions } from './microversions.ts';

/** Highest compute microversion of each release. Source: nova/api/openstack/compute/rest_api_version_history.rst. */
const novaMaximum: readonly (readonly [string, string])[] = [
  ['2.3', 'Kilo'],
  ['2.12', 'Liberty'],
  ['2.25', 'Mitaka'],
  ['2.38', 'Newton'],
  ['2.42', 'Ocata'],
  ['2.53', 'Pike'],
  ['2.60', 'Queens'],
  ['2.65', 'Rocky'],
  ['2.72', 'Stein'],
  ['2.79', 'Train'],
  ['2.87', 'Ussuri or Victoria'],
  ['2.88', 'Wallaby'],
  ['2.90', 'Xena or Yoga'],
  ['2.93', 'Zed'],
  ['2.95', '2023.1 Antelope or 2023.2 Bobcat'],
  ['2.96', '2024.1 Caracal or 2024.2 Dalmatian'],
  ['2.100', '2025.1 Epoxy'],
  ['2.101', '2025.2 Flamingo'],
];

/** The release whose maximum this is; between two of them, the older with `later than`. */
export function novaRelease(maximum: string): string | undefined {
  let last: string | undefined;
  for (const [microversion, release] of novaMaximum) {
    const order = compareMicroversions(maximum, microversion);
    if (order === 0) return release;
    if (order < 0) break;
    last = release;
  }
  return last === undefined ? undefined : `later than ${last}`;
}
