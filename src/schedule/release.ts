/** Nova's releases, oldest first, by the names that Nova's own files use; later ones are known by their number, too. */
const releases: readonly (readonly string[])[] = [
  ['mitaka'],
  ['newton'],
  ['ocata'],
  ['pike'],
  ['queens'],
  ['rocky'],
  ['stein'],
  ['train'],
  ['ussuri'],
  ['victoria'],
  ['wallaby'],
  ['xena'],
  ['yoga'],
  ['zed'],
  ['2023.1', 'antelope'],
  ['2023.2', 'bobcat'],
  ['2024.1', 'caracal'],
  ['2024.2', 'dalmatian'],
  ['2025.1', 'epoxy'],
  ['2025.2', 'flamingo'],
];

const rank = (release: string): number => releases.findIndex((names) => names.includes(release.toLowerCase()));

/** Whether a release is not older than another. One that nobody knows is taken to be new. */
export function since(release: string | undefined, first: string): boolean {
  const mine = release === undefined ? -1 : rank(release);
  return mine === -1 || mine >= rank(first);
}

const always = [
  'ComputeFilter',
  'ComputeCapabilitiesFilter',
  'ImagePropertiesFilter',
  'ServerGroupAntiAffinityFilter',
  'ServerGroupAffinityFilter',
] as const;

/**
 * enabled_filters where nova.conf says nothing (nova/conf/scheduler.py), by release: RamFilter and DiskFilter went with Pike, when
 * Placement counted instead; RetryFilter with Train, AvailabilityZoneFilter when Placement knew the zones (deprecated in Xena).
 */
export function releaseDefaults(release: string | undefined): readonly string[] {
  if (since(release, 'xena')) return always;
  if (since(release, 'train')) return ['AvailabilityZoneFilter', ...always];
  if (since(release, 'pike')) return ['RetryFilter', 'AvailabilityZoneFilter', ...always];
  return ['RetryFilter', 'AvailabilityZoneFilter', 'RamFilter', 'DiskFilter', ...always];
}
