import { type Asked, big, type Ground, ghosts, hosts } from './ground.ts';

/** One request that Nova cannot place, and what is to be said of it. */
export interface Case {
  readonly name: string;
  readonly title: string;
  /** Makes the fact, and says what is then asked. */
  readonly make: (ground: Ground) => Promise<Asked>;
  /** Undoes what a sweep by names does not. */
  readonly undo?: (ground: Ground) => Promise<void>;
  /** Nova's API itself refuses: there is no instance to ask about, so the question is put before booting. */
  readonly refused?: boolean;
  /** What the first cause must be about: a step (`placement`, a filter, `network`, `build`, `cell`, `request`) ... */
  readonly step: string;
  /** ... and words of which one must be in it. */
  readonly about: readonly string[];
  /** What must be in its evidence besides. */
  readonly shown?: string;
  /** What would help cannot be computed from what is known of hosts: naming no relaxation is right, too. */
  readonly unrelaxed?: true;
  /** What others boot in the same lab meanwhile would suffer, too. */
  readonly shared?: true;
  /** The log of this host's nova-compute belongs to the truth. */
  readonly late?: readonly string[];
}

/** Fits on none but the two big hosts without guests. */
const four = { vcpus: 4 } as const;
/** Fits on none but the hosts without guests: what then boots costs nothing. */
const roomy = { disk: 300 } as const;
/** A zone of the hosts that have guests. */
const guests = async (ground: Ground, zone: string, of: readonly string[] = ['cmp1', 'cmp2']): Promise<string> => {
  await ground.aggregate(zone, of, {}, zone);
  return zone;
};
const both = async (act: (host: string) => Promise<void>): Promise<void> => {
  for (const host of big) await act(host);
};

export const cases: readonly Case[] = [
  {
    name: 'ram',
    title: 'more memory than any host has',
    make: async () => ({ ...four, ram: 40_000 }),
    step: 'placement',
    about: ['MEMORY_MB', 'memory'],
  },
  {
    name: 'vcpu',
    title: 'more VCPU than any host has',
    make: async () => ({ vcpus: 12 }),
    step: 'placement',
    about: ['VCPU'],
  },
  {
    name: 'disk',
    title: 'a bigger disk than any host has',
    make: async () => ({ disk: 2000 }),
    step: 'placement',
    about: ['DISK_GB', 'disk'],
  },
  {
    name: 'ratio',
    title: 'the allocation ratio of memory is 0.5',
    make: async (g) => {
      await both((host) => g.inventory(host, 'MEMORY_MB', { allocation_ratio: 0.5 }));
      return { ...four, ram: 6000 };
    },
    undo: (g) => g.restock(),
    step: 'placement',
    about: ['MB', 'memory'],
    shown: 'ratio 0.5',
  },
  {
    name: 'reserved',
    title: '6000 MB of each big host are reserved',
    make: async (g) => {
      await both((host) => g.inventory(host, 'MEMORY_MB', { reserved: 6000 }));
      return { ...four, ram: 4000 };
    },
    undo: (g) => g.restock(),
    step: 'placement',
    about: ['MB', 'memory'],
    shown: 'reserved 6000',
  },
  {
    name: 'orphan',
    title: 'allocations of instances that do not exist fill the big hosts',
    make: async (g) => {
      for (const [i, host] of big.entries()) await g.ghost(ghosts[i] ?? ghosts[0], host, { MEMORY_MB: 7000 });
      return { ...four, ram: 4000 };
    },
    step: 'placement',
    about: [ghosts[0], ghosts[1]],
  },
  {
    name: 'custom-resource',
    title: 'the flavor asks for a resource class that no host has',
    make: async (g) => {
      await g.cloud.ask('placement', 'PUT', '/resource_classes/CUSTOM_SCHED_FPGA');
      return { ...roomy, specs: { 'resources:CUSTOM_SCHED_FPGA': '1' } };
    },
    step: 'placement',
    about: ['CUSTOM_SCHED_FPGA'],
  },
  {
    name: 'trait-required',
    title: 'the flavor requires a trait that no host has',
    make: async (g) => {
      await g.cloud.ask('placement', 'PUT', '/traits/CUSTOM_SCHED_GPU');
      return { ...roomy, specs: { 'trait:CUSTOM_SCHED_GPU': 'required' } };
    },
    step: 'placement',
    about: ['CUSTOM_SCHED_GPU'],
  },
  {
    name: 'trait-forbidden',
    title: 'the flavor forbids a trait that every host has',
    make: async (g) => {
      for (const host of hosts) await g.trait(host, 'CUSTOM_SCHED_SLOW', true);
      return { ...roomy, specs: { 'trait:CUSTOM_SCHED_SLOW': 'forbidden' } };
    },
    step: 'placement',
    about: ['CUSTOM_SCHED_SLOW'],
  },
  {
    name: 'image-trait',
    title: 'the image requires a trait that no host has',
    make: async (g) => {
      await g.cloud.ask('placement', 'PUT', '/traits/CUSTOM_SCHED_TPM');
      return { ...roomy, image: { 'trait:CUSTOM_SCHED_TPM': 'required' } };
    },
    step: 'placement',
    about: ['CUSTOM_SCHED_TPM'],
  },
  {
    name: 'disabled',
    shared: true,
    title: 'every compute service is disabled',
    make: async (g) => {
      for (const host of hosts) await g.enable(host, false, `sched: a test of ${host}`);
      return {};
    },
    undo: async (g) => {
      for (const host of hosts) await g.enable(host, true);
    },
    step: 'placement',
    about: ['disabled'],
  },
  {
    name: 'dead',
    title: 'nova-compute of both big hosts is stopped',
    make: async (g) => {
      await g.stop(...big);
      return four;
    },
    undo: (g) => g.start(...big),
    step: 'ComputeFilter',
    about: ['nova-compute', 'down'],
  },
  {
    name: 'dead-disabled',
    title: 'nova-compute of both big hosts is stopped, and disabled after that, so that Placement has not heard of it',
    make: async (g) => {
      await g.stop(...big);
      await both((host) => g.enable(host, false, 'sched: maintenance'));
      return four;
    },
    undo: async (g) => {
      await g.start(...big);
      await both((host) => g.enable(host, true));
    },
    step: 'ComputeFilter',
    about: ['disabled'],
  },
  {
    name: 'zone-unknown',
    title: 'an availability zone that does not exist',
    make: async () => ({ zone: 'sched-nowhere' }),
    refused: true,
    step: 'request',
    about: ['sched-nowhere'],
  },
  {
    name: 'zone-maintenance',
    title: 'an availability zone whose only host is disabled',
    make: async (g) => {
      await g.aggregate('sched-az', ['sched-f1'], {}, 'sched-az');
      await g.enable('sched-f1', false, 'sched: maintenance');
      return { zone: 'sched-az' };
    },
    undo: (g) => g.enable('sched-f1', true),
    refused: true,
    step: 'request',
    about: ['sched-az', 'sched-f1'],
  },
  {
    name: 'zone-dead',
    title: 'an availability zone whose only host is down',
    make: async (g) => {
      await g.aggregate('sched-az', ['sched-f1'], {}, 'sched-az');
      await g.stop('sched-f1');
      return { zone: 'sched-az' };
    },
    undo: (g) => g.start('sched-f1'),
    // Nova's API only wants a zone to be; it asks for enabled services, not for living ones.
    step: 'ComputeFilter',
    about: ['sched-f1'],
  },
  {
    name: 'zone-full',
    title: 'an availability zone whose only host is too small',
    make: async (g) => {
      await g.aggregate('sched-az', ['sched-f2'], {}, 'sched-az');
      return { ...four, zone: 'sched-az' };
    },
    step: 'placement',
    about: ['VCPU', 'sched-az'],
  },
  {
    name: 'zone-not-mirrored',
    title: 'the aggregate of the zone lacks its host in Placement',
    make: async (g) => {
      await g.aggregate('sched-az', ['sched-f1'], {}, 'sched-az');
      const uuid = await g.provider('sched-f1');
      const { resource_provider_generation } = await g.cloud.get('placement', `/resource_providers/${uuid}/aggregates`);
      await g.cloud.need('placement', 'PUT', `/resource_providers/${uuid}/aggregates`, {
        aggregates: [],
        resource_provider_generation,
      });
      return { zone: 'sched-az' };
    },
    step: 'placement',
    about: ['sched-az', 'aggregate'],
  },
  {
    name: 'aggregate-specs',
    title: 'the flavor wants ssd=true of the aggregate; one aggregate says false, no other says anything',
    make: async (g) => {
      await g.aggregate('sched-slow', ['sched-f1'], { ssd: 'false' });
      return { specs: { 'aggregate_instance_extra_specs:ssd': 'true' } };
    },
    step: 'AggregateInstanceExtraSpecsFilter',
    about: ['ssd'],
  },
  {
    name: 'tenant',
    shared: true,
    title: 'every host is kept for another project',
    make: async (g) => {
      await g.aggregate('sched-theirs', hosts, { filter_tenant_id: await g.cloud.project('other') });
      return { who: 'demo' };
    },
    step: 'AggregateMultiTenancyIsolation',
    about: ['filter_tenant_id', 'project', 'tenant', 'sched-theirs'],
  },
  {
    name: 'no-namespace',
    title: 'an extra spec without namespace, which two filters take for theirs; no aggregate has it',
    make: async () => ({ ...roomy, specs: { ssd: 'true' } }),
    step: 'AggregateInstanceExtraSpecsFilter',
    about: ['ssd'],
  },
  {
    name: 'no-namespace-attribute',
    title: 'an extra spec without namespace that an aggregate has, and that is an attribute of hosts, too',
    make: async (g) => {
      await g.aggregate('sched-xen', ['sched-f1'], { hypervisor_type: 'xen' });
      return { specs: { hypervisor_type: 'xen' } };
    },
    step: 'ComputeCapabilitiesFilter',
    about: ['hypervisor_type'],
  },
  {
    name: 'capabilities',
    title: 'the flavor wants a hypervisor of another type',
    make: async () => ({ ...roomy, specs: { 'capabilities:hypervisor_type': 's== xen' } }),
    step: 'ComputeCapabilitiesFilter',
    about: ['hypervisor_type'],
  },
  {
    name: 'image-architecture',
    title: 'an image of an architecture that no host has',
    make: async () => ({ ...roomy, image: { hw_architecture: 'ia64' } }),
    step: 'ImagePropertiesFilter',
    about: ['hw_architecture', 'ia64'],
  },
  {
    name: 'image-hypervisor',
    title: 'an image for QEMU, a flavor that only fits on hosts that have another hypervisor',
    make: async () => ({ ...four, image: { img_hv_type: 'qemu' } }),
    step: 'ImagePropertiesFilter',
    about: ['img_hv_type', 'qemu', 'VCPU'],
  },
  {
    name: 'image-aggregate',
    shared: true,
    title: 'every host is in an aggregate for images of another system',
    make: async (g) => {
      await g.aggregate('sched-windows', hosts, { os_distro: 'windows' });
      return { image: { os_distro: 'debian' } };
    },
    step: 'AggregateImagePropertiesIsolation',
    about: ['os_distro'],
  },
  {
    name: 'anti-affinity',
    title: 'an anti-affinity group has a member on both hosts that are big enough',
    make: async (g) => {
      const group = await g.group('sched-apart', 'anti-affinity');
      for (const host of big) await g.filler(`sched-member-${host}`, host, { ...four, hints: { group } });
      return { ...four, hints: { group } };
    },
    step: 'ServerGroupAntiAffinityFilter',
    about: ['sched-apart', 'anti-affinity'],
  },
  {
    name: 'affinity-full',
    title: 'an affinity group is on a host that is full',
    make: async (g) => {
      const group = await g.group('sched-together', 'affinity');
      await g.filler('sched-member', 'sched-f1', { ...four, ram: 7000, hints: { group } });
      return { ...four, ram: 7000, hints: { group } };
    },
    step: 'ServerGroupAffinityFilter',
    about: ['sched-together', 'affinity'],
  },
  {
    name: 'same-host',
    title: 'hint same_host of an instance whose host is full',
    make: async (g) => {
      const server = await g.filler('sched-member', 'sched-f1', { ...four, ram: 7000 });
      return { ...four, ram: 7000, hints: { same_host: [server] } };
    },
    step: 'SameHostFilter',
    about: ['same_host', 'SameHostFilter'],
  },
  {
    name: 'different-host',
    title: 'hint different_host of an instance on each host that is big enough',
    make: async (g) => {
      const different_host: string[] = [];
      for (const host of big) different_host.push(await g.filler(`sched-member-${host}`, host, four));
      return { ...four, hints: { different_host } };
    },
    step: 'DifferentHostFilter',
    about: ['different_host', 'DifferentHostFilter'],
  },
  {
    name: 'num-instances',
    title: 'aggregates allow one instance for each host, the big hosts have it',
    make: async (g) => {
      await g.aggregate('sched-one', big, { max_instances_per_host: '1' });
      await both(async (host) => {
        await g.filler(`sched-member-${host}`, host, four);
      });
      return four;
    },
    step: 'AggregateNumInstancesFilter',
    about: ['max_instances_per_host', 'AggregateNumInstancesFilter', '1 instances'],
  },
  {
    name: 'io-ops',
    shared: true,
    title: 'one I/O operation at a time is allowed, and both hosts of the zone are building',
    make: async (g) => {
      const zone = await guests(g, 'sched-guests');
      await g.option('filter_scheduler', 'max_io_ops_per_host', '1');
      for (const host of ['cmp1', 'cmp2']) {
        // Without its agent no port is plugged, for which nova-compute waits (vif_plugging_timeout).
        await g.agent(host, 'stop');
        await g.building(`sched-slow-${host}`, host, { networks: [{ name: 'private' }] });
      }
      return { zone };
    },
    undo: async (g) => {
      for (const host of ['cmp1', 'cmp2']) await g.agent(host, 'start');
      await g.option('filter_scheduler', 'max_io_ops_per_host');
    },
    step: 'IoOpsFilter',
    about: ['I/O operations', 'IoOpsFilter'],
  },
  {
    name: 'shared-small',
    title: 'a disk that is bigger than the storage which the big hosts share',
    make: async (g) => {
      await g.share('sched-nfs', 3000, big);
      return { ...four, disk: 4000 };
    },
    step: 'placement',
    about: ['DISK_GB', 'disk', 'GB'],
    shown: 'sched-nfs',
  },
  {
    name: 'shared-zone',
    title: 'the storage that the host of the zone shares is itself in no aggregate of the zone',
    make: async (g) => {
      await g.share('sched-nfs', 3000, big);
      await g.aggregate('sched-az', ['sched-f1'], {}, 'sched-az');
      return { ...four, disk: 2000, zone: 'sched-az' };
    },
    step: 'placement',
    about: ['DISK_GB', 'shared', 'sched-nfs'],
    shown: 'sched-nfs',
  },
  {
    name: 'numa',
    title: 'two NUMA nodes, huge pages of 1 GB',
    make: async () => ({ vcpus: 2, ram: 2048, specs: { 'hw:numa_nodes': '2', 'hw:mem_page_size': '1GB' } }),
    step: 'NUMATopologyFilter',
    about: ['NUMA', 'hw:mem_page_size', 'hw:numa_nodes', 'page'],
  },
  {
    name: 'pinned',
    title: 'pinned CPUs that are siblings, where no host has threads',
    make: async () => ({ vcpus: 2, specs: { 'hw:cpu_policy': 'dedicated', 'hw:cpu_thread_policy': 'require' } }),
    step: 'NUMATopologyFilter',
    about: ['hw:cpu', 'PCPU', 'pinned', 'dedicated', 'NUMA'],
  },
  {
    name: 'pci',
    title: 'a port of type direct where no host has a VF',
    make: async (g) => ({
      networks: [{ port: await g.port('sched-direct', 'public', { 'binding:vnic_type': 'direct' }) }],
    }),
    step: 'PciPassthroughFilter',
    about: ['direct', 'VF', 'PCI', 'PciPassthroughFilter'],
    // The API does not tell of the port of an instance that failed.
    unrelaxed: true,
  },
  {
    name: 'host-unknown',
    title: '--host names a host that does not exist',
    make: async () => ({ host: 'sched-nosuch' }),
    refused: true,
    step: 'request',
    about: ['sched-nosuch'],
  },
  {
    name: 'host-full',
    title: '--host names a host that is too small',
    make: async () => ({ ...four, host: 'sched-f2' }),
    step: 'placement',
    about: ['VCPU', 'sched-f2'],
  },
  {
    name: 'forced-unknown',
    title: '--availability-zone nova:HOST with a host that does not exist',
    make: async () => ({ zone: 'nova:sched-nosuch' }),
    step: 'request',
    about: ['sched-nosuch'],
  },
  {
    name: 'forced-full',
    title: '--availability-zone nova:HOST with a host that is too small',
    make: async () => ({ ...four, zone: 'nova:sched-f2' }),
    step: 'placement',
    about: ['sched-f2', 'VCPU'],
  },
  {
    name: 'count',
    title: 'six at once, of which four find room',
    make: async () => ({ ...four, ram: 3500, count: 6 }),
    step: 'placement',
    about: ['count', '4', 'MEMORY_MB', 'memory'],
  },
  {
    name: 'not-discovered',
    title: 'the only host that is big enough and alive is mapped to no cell',
    make: async (g) => {
      await g.enable('sched-c2', false, 'sched: not this one');
      await g.verb('undiscover', 'sched-f1');
      return four;
    },
    undo: async (g) => {
      await g.verb('rediscover', 'sched-f1');
      await g.enable('sched-c2', true);
    },
    step: 'cell',
    about: ['sched-f1', 'discover', 'mapped'],
  },
  {
    name: 'cell-disabled',
    title: 'the cell of the zone is disabled',
    make: async (g) => {
      await g.aggregate('sched-az', ['sched-c2'], {}, 'sched-az');
      await g.verb('cell-disable');
      return { zone: 'sched-az' };
    },
    undo: (g) => g.verb('cell-enable'),
    step: 'cell',
    about: ['cell2', 'cell disabled'],
  },
  {
    name: 'cell-down-zone',
    title: 'the database of the cell of the zone does not answer, so that Nova knows no host in the zone',
    make: async (g) => {
      await g.aggregate('sched-az', ['sched-c2'], {}, 'sched-az');
      await g.verb('cell-stop');
      return { zone: 'sched-az' };
    },
    undo: async (g) => {
      await g.verb('cell-start');
      await g.state('sched-c2', 'up');
    },
    refused: true,
    step: 'cell',
    about: ['cell2', 'cell down'],
  },
  {
    name: 'cell-down',
    title: 'the database of the cell of the only host that is big enough and enabled does not answer',
    make: async (g) => {
      await g.enable('sched-f1', false, 'sched: not this one');
      await g.verb('cell-stop');
      return four;
    },
    undo: async (g) => {
      await g.verb('cell-start');
      await g.enable('sched-f1', true);
      await g.state('sched-c2', 'up');
    },
    step: 'cell',
    about: ['cell2', 'cell down'],
  },
  {
    name: 'late-image',
    title: 'the image is not what it says it is, which the compute host notices',
    make: async (g) => ({ zone: await guests(g, 'sched-guests'), broken: true }),
    step: 'build',
    about: ['build failed', 'image'],
    shown: 'not in a supported format',
    unrelaxed: true,
    late: ['cmp1', 'cmp2'],
  },
  {
    name: 'late-architecture',
    title: 'libvirt knows the architecture of the image, but no host has a CPU model for it',
    make: async () => ({ image: { hw_architecture: 'aarch64' } }),
    step: 'build',
    about: ['build failed', 'aarch64', 'architecture'],
    shown: 'aarch64',
    late: ['cmp1', 'cmp2'],
  },
  {
    name: 'late-libvirt',
    title: 'libvirt refuses the machine type on every host that is tried',
    make: async (g) => ({ zone: await guests(g, 'sched-guests'), image: { hw_machine_type: 'pc-sched-9' } }),
    step: 'build',
    about: ['build failed', 'pc-sched-9', 'machine type'],
    shown: 'pc-sched-9',
    unrelaxed: true,
    late: ['cmp1', 'cmp2'],
  },
  {
    name: 'binding',
    title: 'the physical network of the port is not mapped on the only host of the zone',
    make: async (g) => ({ zone: await guests(g, 'sched-guests', ['cmp1']), networks: [{ name: 'public' }] }),
    step: 'network',
    about: ['physnet1', 'bind'],
    late: ['cmp1'],
  },
  {
    name: 'no-agent',
    title: 'no host that is big enough has an L2 agent',
    make: async () => ({ ...four, networks: [{ name: 'private' }] }),
    step: 'network',
    about: ['agent', 'bind'],
    late: ['sched-f1', 'sched-c2'],
  },
  {
    name: 'no-address',
    title: 'the network has no address left',
    make: async (g) => {
      const project_id = await g.cloud.project('demo');
      const { network } = await g.cloud.need('neutron', 'POST', '/networks', {
        network: { name: 'sched-full', project_id },
      });
      await g.cloud.need('neutron', 'POST', '/subnets', {
        subnet: {
          name: 'sched-full',
          network_id: network.id,
          project_id,
          ip_version: 4,
          cidr: '10.77.0.0/29',
          enable_dhcp: false,
          allocation_pools: [{ start: '10.77.0.2', end: '10.77.0.2' }],
        },
      });
      await g.port('sched-taken', 'sched-full');
      return { zone: await guests(g, 'sched-guests'), networks: [{ name: 'sched-full' }] };
    },
    step: 'network',
    about: ['sched-full', 'address'],
    late: ['cmp1', 'cmp2'],
  },
];
