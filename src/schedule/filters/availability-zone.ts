import { judged, passes } from '../judgement.ts';
import { intoZone } from '../mends.ts';
import { defaultZone } from '../options.ts';
import type { Filter } from './filter.ts';

/** nova/scheduler/filters/availability_zone_filter.py: by the metadata of the host's aggregates, else the default zone. */
export const availabilityZoneFilter: Filter = {
  title: 'az',
  isWhole: true,
  judge: ({ host }, scene) => {
    const { zone } = scene.wish;
    if (zone === undefined || zone === '') return passes;
    const zones =
      scene.metadataOf(host, 'availability_zone').get('availability_zone') ?? new Set([defaultZone(scene.options)]);
    if (zones.has(zone)) return passes;
    const has = [...zones].sort().join(', ');
    return judged([
      {
        kind: `zone ${zone}`,
        of: 'zone',
        because: `${zone} ≠ ${has}`,
        wanted: `zone ${zone}`,
        has: `zone ${has}`,
        ways: [[{ kind: 'zone', on: 'request', asked: zone }], ...intoZone(zone, host, scene)],
      },
    ]);
  },
};
