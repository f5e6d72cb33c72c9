import type { Obstacle } from '../judgement.ts';
import { judged, unknown } from '../judgement.ts';
import type { Filter } from './filter.ts';

/** nova/scheduler/filters/compute_filter.py: the service is enabled, and its last report is younger than service_down_time. */
export const computeFilter: Filter = {
  title: 'compute',
  isWhole: true,
  judge: ({ host, service }) => {
    const obstacles: Obstacle[] = [];
    if (service.status === 'disabled')
      obstacles.push({
        kind: 'service disabled',
        of: 'service',
        because: service.disabledReason ? `disabled: ${service.disabledReason}` : 'disabled',
        wanted: 'an enabled nova-compute',
        has: service.disabledReason ? `disabled: ${service.disabledReason}` : 'disabled, without a reason',
        ways: [[{ kind: 'service-enabled', on: 'cloud', host }]],
      });
    if (service.state === 'down')
      obstacles.push({
        kind: 'service down',
        of: 'service',
        because: service.forcedDown ? 'forced down' : 'down',
        wanted: 'a live nova-compute',
        has: service.forcedDown
          ? 'forced down by an operator'
          : `not heard from${service.updatedAt === undefined ? '' : ` since ${service.updatedAt}`}`,
        ways: [[{ kind: 'service-up', on: 'cloud', host }]],
      });
    if (obstacles.length === 0 && service.state === 'unknown')
      return unknown('state of nova-compute is not known', 'openstack compute service list');
    return judged(obstacles);
  },
};
