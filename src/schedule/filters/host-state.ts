import type { HostFacts } from '../estate.ts';

/** A value that HostState has and no API tells. */
export const hiddenValue: unique symbol = Symbol('hidden');

type Value = unknown | typeof hiddenValue;

const orHidden = (value: unknown): Value => value ?? hiddenValue;

/** Attributes of nova/scheduler/host_manager.py HostState, as far as they can be known; filters reach them by name. */
const attributes: Readonly<Record<string, (host: HostFacts) => Value>> = {
  host: (h) => h.host,
  nodename: (h) => h.node,
  uuid: (h) => orHidden(h.provider),
  hypervisor_hostname: (h) => h.node,
  hypervisor_type: (h) => orHidden(h.hypervisor.type),
  hypervisor_version: (h) => orHidden(h.hypervisor.version),
  cpu_info: (h) => orHidden(h.hypervisor.cpuInfo),
  total_usable_ram_mb: (h) => orHidden(h.hypervisor.memoryMb),
  total_usable_disk_gb: (h) => orHidden(h.hypervisor.localGb),
  vcpus_total: (h) => orHidden(h.hypervisor.vcpus),
  vcpus_used: (h) => orHidden(h.hypervisor.vcpusUsed),
  free_ram_mb: ({ hypervisor: { memoryMb, memoryMbUsed } }) =>
    memoryMb === undefined || memoryMbUsed === undefined ? hiddenValue : memoryMb - memoryMbUsed,
  // The lesser of this and disk_available_least, which needs more than this to be known.
  free_disk_mb: () => hiddenValue,
  disk_mb_used: ({ hypervisor: { localGbUsed } }) => (localGbUsed === undefined ? hiddenValue : localGbUsed * 1024),
  num_instances: (h) => orHidden(h.instances?.length),
  num_io_ops: (h) => orHidden(h.hypervisor.ioOps),
};

const hidden = new Set(
  (
    'failed_builds host_ip supported_instances limits metrics aggregates instances ram_allocation_ratio cpu_allocation_ratio ' +
    'disk_allocation_ratio cell_uuid updated pci_stats numa_topology service stats update consume_from_request'
  ).split(' '),
);

/** Keys of a compute node's stats that nova-compute itself writes (nova/compute/stats.py). */
const stats = /^(io_workload|num_instances|failed_builds|num_(task|vm|os_type|proj)_\w+)$/;

/** An attribute of the host; undefined where HostState has none of that name. Ironic puts a node's capabilities among them. */
export function attributeOf(host: HostFacts, name: string): Value | undefined {
  const known = Object.hasOwn(attributes, name) ? attributes[name] : undefined;
  if (known !== undefined) return known(host);
  if (hidden.has(name) || stats.test(name)) return hiddenValue;
  const type = host.hypervisor.type?.toLowerCase();
  return type === undefined || type === 'ironic' ? hiddenValue : undefined;
}
