import { describe, expect, it } from 'vitest';
import type { Aggregate, HostFacts } from '../../src/schedule/estate.ts';
import { matches, satisfying } from '../../src/schedule/filters/extra-specs-ops.ts';
import { filterOf } from '../../src/schedule/filters/table.ts';
import { type Judgement, verdictOf } from '../../src/schedule/judgement.ts';
import { releaseDefaults } from '../../src/schedule/release.ts';
import { sceneOf } from '../../src/schedule/scene.ts';
import type { Wish, WishedImage } from '../../src/schedule/wish.ts';
import { estateOf, flavor, host, scheduler, wishOf } from './cloud.ts';

interface Around {
  readonly facts?: Partial<HostFacts>;
  readonly metadata?: readonly Readonly<Record<string, string>>[];
  readonly options?: Readonly<Record<string, string>>;
  readonly traits?: readonly string[];
}

/** One filter over one host. */
function judge(
  filter: string,
  wish: Partial<Wish>,
  { facts = {}, metadata = [], options = {}, traits = [] }: Around = {},
): Judgement {
  const aggregates = metadata.map(
    (m, i): Aggregate => ({ uuid: `a${i}`, name: `agg${i}`, hosts: ['cmp1'], metadata: m }),
  );
  const one = host('cmp1', { facts, traits });
  const estate = estateOf([one], { aggregates, scheduler: scheduler({ options: new Map(Object.entries(options)) }) });
  return filterOf(filter).judge(one.facts, sceneOf(wishOf(wish), estate));
}

const state = (...args: Parameters<typeof judge>): string => judge(...args).state;
const because = (...args: Parameters<typeof judge>): string | undefined => verdictOf(judge(...args)).because;

const specs = (extraSpecs: Record<string, string>): Partial<Wish> => ({ flavor: flavor({ extraSpecs }) });
const image = (properties: Record<string, string>, more: Partial<WishedImage> = {}): Partial<Wish> => ({
  image: { id: 'img', name: 'img', minRamMb: 0, minDiskGb: 0, properties, ...more },
});

describe('what an extra spec wants', () => {
  it.each([
    ['1', '1', true],
    ['1', '01', false],
    ['5', '= 4', true],
    ['3', '= 4', false],
    ['4', '== 4.0', true],
    ['x', '>= 4', false],
    ['abc', 's== abc', true],
    ['abc', 's!= abc', false],
    ['sse avx', '<in> avx', true],
    ['sse avx', '<all-in> avx sse', true],
    ['sse', '<all-in> avx sse', false],
    ['b', '<or> a <or> b', true],
    ['c', '<or> a <or> b', false],
    ['x', 's==', false],
    ['a b', 'a b', true],
  ])('of %s by %s is met: %s', (value, wanted, met) => {
    expect(matches(value, wanted)).toBe(met);
  });

  it('names a value that would do, where there is one', () => {
    expect(satisfying('true')).toBe('true');
    expect(satisfying('<or> a <or> b')).toBe('a');
    expect(satisfying('>= 4')).toBe('4');
    expect(satisfying('s!= x')).toBeUndefined();
  });
});

describe('ComputeFilter', () => {
  it('takes a service that is up and enabled', () => {
    const service = { state: 'up', status: 'enabled', forcedDown: false } as const;
    expect(state('ComputeFilter', {}, { facts: { service } })).toBe('passes');
    expect(
      because('ComputeFilter', {}, { facts: { service: { ...service, status: 'disabled', disabledReason: 'disk' } } }),
    ).toBe('disabled: disk');
    expect(because('ComputeFilter', {}, { facts: { service: { ...service, state: 'down', forcedDown: true } } })).toBe(
      'forced down',
    );
    expect(state('ComputeFilter', {}, { facts: { service: { ...service, state: 'unknown' } } })).toBe('unknown');
  });
});

describe('AvailabilityZoneFilter', () => {
  it('goes by the aggregates of the host, else by the default zone', () => {
    expect(state('AvailabilityZoneFilter', {})).toBe('passes');
    expect(state('AvailabilityZoneFilter', { zone: 'nova' })).toBe('passes');
    expect(
      state('AvailabilityZoneFilter', { zone: 'nova' }, { options: { 'DEFAULT.default_availability_zone': 'main' } }),
    ).toBe('rejects');
    expect(because('AvailabilityZoneFilter', { zone: 'az1' }, { metadata: [{ availability_zone: 'az2' }] })).toBe(
      'az1 ≠ az2',
    );
    expect(state('AvailabilityZoneFilter', { zone: 'az1' }, { metadata: [{ availability_zone: 'az1' }] })).toBe(
      'passes',
    );
  });
});

describe('AggregateInstanceExtraSpecsFilter', () => {
  it('wants each extra spec without a namespace, or with its own, of an aggregate', () => {
    const name = 'AggregateInstanceExtraSpecsFilter';
    expect(state(name, specs({ 'hw:cpu_policy': 'dedicated', 'trait:X': 'required' }))).toBe('passes');
    expect(because(name, specs({ ssd: 'true' }))).toBe('no ssd');
    expect(state(name, specs({ ssd: 'true' }), { metadata: [{ ssd: 'false, true' }] })).toBe('passes');
    expect(state(name, specs({ ssd: 'true' }), { metadata: [{ ssd: 'false' }, { ssd: 'true' }] })).toBe('passes');
    expect(because(name, specs({ 'aggregate_instance_extra_specs:ssd': 'true' }), { metadata: [{ ssd: 'no' }] })).toBe(
      'ssd: no',
    );
  });
});

describe('filters over aggregates', () => {
  it('keep hosts for their projects', () => {
    const metadata = [{ filter_tenant_id: 'p1, p2' }];
    expect(state('AggregateMultiTenancyIsolation', { project: 'p1' }, { metadata })).toBe('passes');
    expect(state('AggregateMultiTenancyIsolation', { project: 'p3' }, { metadata })).toBe('rejects');
    expect(state('AggregateMultiTenancyIsolation', { project: 'p3' })).toBe('passes');
    expect(state('AggregateMultiTenancyIsolation', {}, { metadata })).toBe('unknown');
  });

  it('keep hosts for flavors', () => {
    expect(state('AggregateTypeAffinityFilter', {}, { metadata: [{ instance_type: 'm1.small,m1.big' }] })).toBe(
      'passes',
    );
    expect(state('AggregateTypeAffinityFilter', {}, { metadata: [{ instance_type: 'm1.big' }] })).toBe('rejects');
  });

  it('keep hosts for images, by the properties that Nova sees', () => {
    const name = 'AggregateImagePropertiesIsolation';
    expect(because(name, image({ os_distro: 'debian' }), { metadata: [{ os_distro: 'windows' }] })).toBe(
      'os_distro: windows',
    );
    expect(state(name, image({ os_distro: 'windows' }), { metadata: [{ os_distro: 'windows,rhel' }] })).toBe('passes');
    expect(state(name, image({}), { metadata: [{ os_distro: 'windows' }] })).toBe('passes');
    expect(state(name, image({ colour: 'red' }), { metadata: [{ colour: 'blue' }] })).toBe('passes');
    const options = { 'filter_scheduler.aggregate_image_properties_isolation_namespace': 'image' };
    expect(state(name, image({ os_distro: 'debian' }), { metadata: [{ os_distro: 'windows' }], options })).toBe(
      'passes',
    );
  });

  it('count instances and I/O, by the least limit of the aggregates', () => {
    const facts: Partial<HostFacts> = { instances: ['a', 'b'], hypervisor: { ioOps: 3 } };
    expect(state('NumInstancesFilter', {}, { facts })).toBe('passes');
    const options = { 'filter_scheduler.max_instances_per_host': '2' };
    expect(because('NumInstancesFilter', {}, { facts, options })).toBe('2 ≥ 2 instances');
    expect(state('NumInstancesFilter', {}, { facts, metadata: [{ max_instances_per_host: '1' }] })).toBe('passes');
    const metadata = [{ max_instances_per_host: '5' }, { max_instances_per_host: '2' }];
    expect(state('AggregateNumInstancesFilter', {}, { facts, metadata })).toBe('rejects');
    expect(
      state('AggregateNumInstancesFilter', {}, { facts, metadata: [...metadata, { max_instances_per_host: 'x' }] }),
    ).toBe('passes');
    expect(state('AggregateIoOpsFilter', {}, { facts, metadata: [{ max_io_ops_per_host: '3' }] })).toBe('rejects');
    expect(state('IoOpsFilter', {}, { facts: { hypervisor: {} } })).toBe('unknown');
  });
});

describe('ComputeCapabilitiesFilter', () => {
  const name = 'ComputeCapabilitiesFilter';
  it('compares capabilities: and names that the host state has', () => {
    expect(state(name, specs({ 'capabilities:hypervisor_type': 's== QEMU' }))).toBe('passes');
    expect(because(name, specs({ 'capabilities:hypervisor_type': 's== xen' }))).toBe('hypervisor_type is QEMU');
    expect(state(name, specs({ 'capabilities:cpu_info:features': '<in> avx' }))).toBe('passes');
    expect(state(name, specs({ 'capabilities:cpu_info:features': '<in> svm' }))).toBe('rejects');
    expect(state(name, specs({ 'capabilities:hypervisor_version': '>= 8000000' }))).toBe('rejects');
    expect(because(name, specs({ 'capabilities:nosuch': 'x' }))).toBe('no nosuch');
    expect(state(name, specs({ hypervisor_type: 'xen' }))).toBe('rejects');
    expect(state(name, specs({ ssd: 'true', 'hw:cpu_policy': 'x' }))).toBe('passes');
  });

  it('does not know what no API tells', () => {
    expect(state(name, specs({ 'capabilities:stats': 'x' }))).toBe('unknown');
    expect(
      state(name, specs({ 'capabilities:boot_mode': 'uefi' }), { facts: { hypervisor: { type: 'ironic' } } }),
    ).toBe('unknown');
  });
});

describe('ImagePropertiesFilter', () => {
  const name = 'ImagePropertiesFilter';
  it('compares architecture, hypervisor and mode', () => {
    expect(state(name, {})).toBe('passes');
    expect(state(name, image({ hw_architecture: 'x86_64', img_hv_type: 'qemu', hw_vm_mode: 'hvm' }))).toBe('passes');
    expect(state(name, image({ architecture: 'amd64' }))).toBe('passes');
    expect(because(name, image({ hw_architecture: 'ia64' }))).toBe('ia64: CPU x86_64');
    expect(state(name, image({ hw_architecture: 'aarch64' }))).toBe('unknown');
    expect(state(name, image({ hw_architecture: 'aarch64' }), { traits: ['COMPUTE_ARCH_AARCH64'] })).toBe('passes');
    expect(because(name, image({ img_hv_type: 'xen' }))).toBe('xen: hypervisor QEMU');
    expect(state(name, image({ img_hv_type: 'kvm' }))).toBe('unknown');
  });

  it('compares the version where one of these is set', () => {
    const wanting = (version: string): string =>
      state(name, image({ img_hv_type: 'qemu', img_hv_requested_version: version }));
    expect(wanting('>=6.0,<8')).toBe('passes');
    expect(wanting('>=8.0')).toBe('rejects');
    expect(state(name, image({ img_hv_requested_version: '>=8.0' }))).toBe('passes');
  });
});

describe('hints', () => {
  const facts: Partial<HostFacts> = { instances: ['i-1'] };
  it('name instances to be with, or away from', () => {
    expect(state('SameHostFilter', { hints: { same_host: ['i-1', 'i-9'] } }, { facts })).toBe('passes');
    expect(state('SameHostFilter', { hints: { same_host: ['i-9'] } }, { facts })).toBe('rejects');
    expect(state('DifferentHostFilter', { hints: { different_host: ['i-1'] } }, { facts })).toBe('rejects');
    expect(state('DifferentHostFilter', { hints: { different_host: ['i-9'] } }, { facts })).toBe('passes');
  });

  it('query the host', () => {
    const query = (text: string): string =>
      state(
        'JsonFilter',
        { hints: { query: [text] } },
        { facts: { ...facts, hypervisor: { memoryMb: 1000, memoryMbUsed: 400 } } },
      );
    expect(query('[">=", "$free_ram_mb", 500]')).toBe('passes');
    expect(query('["and", [">=", "$free_ram_mb", 700], ["=", "$host", "cmp1"]]')).toBe('rejects');
    expect(query('["or", ["<", "$free_ram_mb", 500], ["in", "$host", "cmp2", "cmp1"]]')).toBe('passes');
    expect(query('["not", ["=", "$host", "cmp1"]]')).toBe('rejects');
    expect(query('["=", "$metrics", 1]')).toBe('unknown');
    expect(query('no json')).toBe('unknown');
  });
});

describe('server groups', () => {
  const group = (policy: 'affinity' | 'anti-affinity', memberHosts: string[], maxPerHost = 1): Partial<Wish> => ({
    group: { id: 'g', name: 'pair', policy, maxPerHost, memberHosts },
  });
  it('keep their members together or apart', () => {
    expect(state('ServerGroupAffinityFilter', group('affinity', []))).toBe('passes');
    expect(state('ServerGroupAffinityFilter', group('affinity', ['cmp1', 'cmp2']))).toBe('passes');
    expect(because('ServerGroupAffinityFilter', group('affinity', ['cmp2']))).toBe('pair is on cmp2');
    expect(because('ServerGroupAntiAffinityFilter', group('anti-affinity', ['cmp1']))).toBe('1 of pair here');
    expect(state('ServerGroupAntiAffinityFilter', group('anti-affinity', ['cmp1'], 2))).toBe('passes');
    expect(state('ServerGroupAntiAffinityFilter', group('affinity', ['cmp1']))).toBe('passes');
  });

  it('do not reject a host over the instance itself', () => {
    const facts: Partial<HostFacts> = { instances: ['i-1'] };
    expect(
      state('ServerGroupAntiAffinityFilter', { ...group('anti-affinity', ['cmp1']), instance: 'i-1' }, { facts }),
    ).toBe('passes');
  });
});

describe('filters that need what no API tells', () => {
  it('pass where nothing is asked of them', () => {
    for (const name of [
      'NUMATopologyFilter',
      'PciPassthroughFilter',
      'MetricsFilter',
      'SimpleCIDRAffinityFilter',
      'JsonFilter',
    ])
      expect(state(name, {})).toBe('passes');
    expect(state('NUMATopologyFilter', specs({ 'hw:cpu_policy': 'shared' }))).toBe('passes');
  });

  it('say what would tell', () => {
    expect(judge('NUMATopologyFilter', specs({ 'hw:mem_page_size': 'large' }))).toMatchObject({
      state: 'unknown',
      tells: expect.any(String),
    });
    expect(state('NUMATopologyFilter', image({ hw_numa_nodes: '2' }))).toBe('unknown');
    const facts: Partial<HostFacts> = { hypervisor: { type: 'QEMU', cpuInfo: { topology: { cells: 1 } } } };
    expect(because('NUMATopologyFilter', image({ hw_numa_nodes: '2' }), { facts })).toBe('2 > 1 NUMA node');
    expect(state('PciPassthroughFilter', specs({ 'pci_passthrough:alias': 'gpu:1' }))).toBe('unknown');
    expect(state('MetricsFilter', {}, { options: { 'metrics.weight_setting': 'cpu=1' } })).toBe('unknown');
  });

  it('reject a direct port whose physical network no agent of the host maps', () => {
    const direct = (physicalNetwork: string): Partial<Wish> => ({
      ports: [{ network: 'n', networkName: 'fast', vnicType: 'direct', segments: [{ type: 'vlan', physicalNetwork }] }],
    });
    expect(because('PciPassthroughFilter', direct('physnet9'))).toBe('no device on physnet9');
    expect(state('PciPassthroughFilter', direct('physnet1'))).toBe('unknown');
  });
});

describe('filters that counted before Placement did', () => {
  const facts: Partial<HostFacts> = {
    hypervisor: { vcpus: 4, vcpusUsed: 60, memoryMb: 1000, memoryMbUsed: 900, localGb: 10, localGbUsed: 9 },
  };
  const bare = { provider: '' } as const;
  it('over-commit by the ratio, but no instance beyond the host itself', () => {
    const old: Around = { facts: { ...facts, ...bare } };
    expect(because('CoreFilter', { flavor: flavor({ vcpus: 5 }) }, old)).toBe('5 > 4 VCPU');
    expect(state('CoreFilter', { flavor: flavor({ vcpus: 4 }) }, old)).toBe('passes');
    expect(state('RamFilter', { flavor: flavor({ ramMb: 600 }) }, old)).toBe('passes');
    expect(because('RamFilter', { flavor: flavor({ ramMb: 601 }) }, old)).toBe('601 > 600 MB');
    expect(because('DiskFilter', { flavor: flavor({ diskGb: 2 }) }, old)).toBe('2 > 1 GB');
  });

  it('take the ratio of nova.conf, or the least of the aggregates', () => {
    const strict: Around = { facts: { ...facts, ...bare }, options: { 'DEFAULT.ram_allocation_ratio': '1.0' } };
    expect(because('RamFilter', { flavor: flavor({ ramMb: 200 }) }, strict)).toBe('200 > 100 MB');
    const metadata = [{ ram_allocation_ratio: '2.0' }, { ram_allocation_ratio: '1.2' }];
    expect(because('AggregateRamFilter', { flavor: flavor({ ramMb: 400 }) }, { ...strict, metadata })).toBe(
      '400 > 300 MB',
    );
  });
});

describe('IsolatedHostsFilter', () => {
  const options = { 'filter_scheduler.isolated_hosts': 'cmp1', 'filter_scheduler.isolated_images': 'img' };
  it('keeps images and hosts for each other', () => {
    expect(state('IsolatedHostsFilter', image({}), { options })).toBe('passes');
    expect(state('IsolatedHostsFilter', image({}, { id: 'other' }), { options })).toBe('rejects');
    expect(
      state('IsolatedHostsFilter', image({}, { id: 'other' }), {
        options: { ...options, 'filter_scheduler.restrict_isolated_hosts_to_isolated_images': 'false' },
      }),
    ).toBe('passes');
    expect(state('IsolatedHostsFilter', {}, { options: { 'filter_scheduler.isolated_hosts': 'cmp1' } })).toBe(
      'rejects',
    );
  });
});

describe('the filters of a release', () => {
  it('are what its nova.conf has by default', () => {
    expect(releaseDefaults('zed')).toEqual([
      'ComputeFilter',
      'ComputeCapabilitiesFilter',
      'ImagePropertiesFilter',
      'ServerGroupAntiAffinityFilter',
      'ServerGroupAffinityFilter',
    ]);
    expect(releaseDefaults('wallaby')[0]).toBe('AvailabilityZoneFilter');
    expect(releaseDefaults('stein').slice(0, 2)).toEqual(['RetryFilter', 'AvailabilityZoneFilter']);
    expect(releaseDefaults('ocata')).toContain('RamFilter');
    expect(releaseDefaults(undefined)).toEqual(releaseDefaults('2025.1'));
  });

  it('are known by class, whatever module they are named with', () => {
    expect(filterOf('nova.scheduler.filters.compute_filter.ComputeFilter').title).toBe('compute');
    expect(filterOf('__proto__').isWhole).toBe(false);
  });
});
