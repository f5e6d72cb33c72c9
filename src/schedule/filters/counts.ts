import type { HostFacts } from '../estate.ts';
import { judged, passes, unknown } from '../judgement.ts';
import type { Scene } from '../scene.ts';
import type { Filter } from './filter.ts';

/** A count of the host that has to stay under a limit, of nova.conf or the least of its aggregates'. */
interface Counted {
  readonly filter: string;
  readonly title: string;
  readonly what: string;
  readonly option: 'max_instances_per_host' | 'max_io_ops_per_host';
  readonly otherwise: number;
  readonly byAggregate: boolean;
  of(host: HostFacts): number | undefined;
}

/** The limit, and the aggregate that sets it (nova/scheduler/filters/utils.py validate_num_values: one that is no number voids them all). */
export function limitOf(
  counted: Counted,
  host: string,
  scene: Scene,
): { readonly limit: number; readonly aggregate?: string } {
  const standard = scene.options.number(`filter_scheduler.${counted.option}`, counted.otherwise);
  if (!counted.byAggregate) return { limit: standard };
  const set = scene.aggregatesOf(host).flatMap((a) => {
    const value = a.metadata[counted.option];
    return value === undefined
      ? []
      : [{ aggregate: a.name, limit: /^\s*-?\d+\s*$/.test(value) ? Number(value) : Number.NaN }];
  });
  if (set.length === 0 || set.some(({ limit }) => Number.isNaN(limit))) return { limit: standard };
  return set.reduce((least, one) => (one.limit < least.limit ? one : least));
}

const counting = (counted: Counted): Filter => ({
  title: counted.title,
  isWhole: true,
  judge: (host, scene) => {
    const count = counted.of(host);
    if (count === undefined)
      return unknown(
        `${counted.what} of the host are not known`,
        'openstack hypervisor show HOST, before microversion 2.88',
      );
    const { limit, aggregate } = limitOf(counted, host.host, scene);
    if (count < limit) return passes;
    return judged([
      {
        kind: counted.option,
        of: 'resource',
        because: `${count} ≥ ${limit} ${counted.what}`,
        wanted: `room under ${counted.option} ${limit}`,
        has: `${count} ${counted.what}, ${aggregate === undefined ? counted.option : `${counted.option} of aggregate ${aggregate}`} ${limit}`,
        ways: [
          aggregate === undefined
            ? [
                {
                  kind: 'filter',
                  on: 'cloud',
                  filter: counted.filter,
                  because: `[filter_scheduler]${counted.option} is ${limit}`,
                },
              ]
            : [{ kind: 'aggregate-property', on: 'cloud', aggregate, key: counted.option, value: String(count + 1) }],
        ],
      },
    ]);
  },
});

const instances = {
  title: 'instances',
  what: 'instances',
  option: 'max_instances_per_host',
  otherwise: 50,
  of: (host: HostFacts) => host.instances?.length,
} as const;
const ioOps = {
  title: 'io ops',
  what: 'I/O operations',
  option: 'max_io_ops_per_host',
  otherwise: 8,
  of: (host: HostFacts) => host.hypervisor.ioOps,
} as const;

/** num_instances_filter.py, io_ops_filter.py. */
export const counts = {
  NumInstancesFilter: { ...instances, filter: 'NumInstancesFilter', byAggregate: false },
  AggregateNumInstancesFilter: { ...instances, filter: 'AggregateNumInstancesFilter', byAggregate: true },
  IoOpsFilter: { ...ioOps, filter: 'IoOpsFilter', byAggregate: false },
  AggregateIoOpsFilter: { ...ioOps, filter: 'AggregateIoOpsFilter', byAggregate: true },
} as const satisfies Readonly<Record<string, Counted>>;

export const numInstancesFilter: Filter = counting(counts.NumInstancesFilter);
export const aggregateNumInstancesFilter: Filter = counting(counts.AggregateNumInstancesFilter);
export const ioOpsFilter: Filter = counting(counts.IoOpsFilter);
export const aggregateIoOpsFilter: Filter = counting(counts.AggregateIoOpsFilter);
