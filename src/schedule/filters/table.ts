import { passes, unknown } from '../judgement.ts';
import {
  aggregateInstanceExtraSpecsFilter,
  aggregateMultiTenancyIsolation,
  aggregateTypeAffinityFilter,
} from './aggregates.ts';
import { availabilityZoneFilter } from './availability-zone.ts';
import { computeFilter } from './compute.ts';
import { computeCapabilitiesFilter } from './compute-capabilities.ts';
import { aggregateIoOpsFilter, aggregateNumInstancesFilter, ioOpsFilter, numInstancesFilter } from './counts.ts';
import type { Filter } from './filter.ts';
import {
  differentHostFilter,
  sameHostFilter,
  serverGroupAffinityFilter,
  serverGroupAntiAffinityFilter,
  simpleCidrAffinityFilter,
} from './groups.ts';
import { aggregateImagePropertiesIsolation, imagePropertiesFilter } from './image-properties.ts';
import { isolatedHostsFilter } from './isolated-hosts.ts';
import { jsonFilter } from './json.ts';
import { numaTopologyFilter } from './numa.ts';
import {
  aggregateCoreFilter,
  aggregateDiskFilter,
  aggregateRamFilter,
  coreFilter,
  diskFilter,
  ramFilter,
} from './overcommit.ts';
import { pciPassthroughFilter } from './pci.ts';

/** Of a first attempt, hosts that were tried before are none (retry_filter.py, until Train). */
const letsPass = (title: string): Filter => ({ title, isWhole: true, judge: () => passes });

/** metrics_filter.py: looks for metrics that [metrics]weight_setting names; none named, every host has them. */
const metricsFilter: Filter = {
  title: 'metrics',
  isWhole: false,
  judge: (_host, { options }) =>
    options.list('metrics.weight_setting').length === 0
      ? passes
      : unknown(
          'metrics of the compute host are not told by any API',
          'nova-scheduler at DEBUG: "does not have the following metrics"',
        ),
};

const filters: Readonly<Record<string, Filter>> = {
  AllHostsFilter: letsPass('all'),
  RetryFilter: letsPass('retry'),
  ComputeFilter: computeFilter,
  AvailabilityZoneFilter: availabilityZoneFilter,
  ComputeCapabilitiesFilter: computeCapabilitiesFilter,
  ImagePropertiesFilter: imagePropertiesFilter,
  ServerGroupAntiAffinityFilter: serverGroupAntiAffinityFilter,
  ServerGroupAffinityFilter: serverGroupAffinityFilter,
  AggregateInstanceExtraSpecsFilter: aggregateInstanceExtraSpecsFilter,
  AggregateMultiTenancyIsolation: aggregateMultiTenancyIsolation,
  AggregateImagePropertiesIsolation: aggregateImagePropertiesIsolation,
  AggregateTypeAffinityFilter: aggregateTypeAffinityFilter,
  IsolatedHostsFilter: isolatedHostsFilter,
  SameHostFilter: sameHostFilter,
  DifferentHostFilter: differentHostFilter,
  SimpleCIDRAffinityFilter: simpleCidrAffinityFilter,
  JsonFilter: jsonFilter,
  NUMATopologyFilter: numaTopologyFilter,
  PciPassthroughFilter: pciPassthroughFilter,
  NumInstancesFilter: numInstancesFilter,
  AggregateNumInstancesFilter: aggregateNumInstancesFilter,
  IoOpsFilter: ioOpsFilter,
  AggregateIoOpsFilter: aggregateIoOpsFilter,
  MetricsFilter: metricsFilter,
  CoreFilter: coreFilter,
  AggregateCoreFilter: aggregateCoreFilter,
  RamFilter: ramFilter,
  AggregateRamFilter: aggregateRamFilter,
  DiskFilter: diskFilter,
  AggregateDiskFilter: aggregateDiskFilter,
};

/** A filter by its class's name, with or without its module; one that Nova does not have is somebody's own. */
export function filterOf(name: string): Filter {
  const className = name.split('.').at(-1) ?? name;
  const known = Object.hasOwn(filters, className) ? filters[className] : undefined;
  return (
    known ?? {
      title: className.replace(/Filter$/, ''),
      isWhole: false,
      judge: () =>
        unknown(
          `${className} is not one of Nova's own`,
          `its source, and nova-scheduler's log: "${className} returned 0 hosts"`,
          [[{ kind: 'filter', on: 'cloud', filter: className, because: 'it let no host pass' }]],
        ),
    }
  );
}
