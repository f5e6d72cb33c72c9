import { cpusIn, firstCpus } from './cpus.ts';
import type { Aggregate, Estate, HostFacts } from './estate.ts';
import { defaultZone, type Options, optionsOf, zonesByPlacement } from './options.ts';
import type { Constraint, Origin, PlacementQuery } from './query.ts';
import { since } from './release.ts';
import type { Wish, WishedPort } from './wish.ts';

/** resources:VCPU, resources1:VGPU, resources_GPU:VGPU; trait: likewise (nova/scheduler/utils.py XS_KEYPAT). */
const granularKey = /^(resources|trait)([a-zA-Z0-9_-]{1,64})?:(.*)$/;

/** The extra spec that says a thing, else the image property, each as the origin it is. */
function firstOf(
  wish: Wish,
  key: string,
  property: string,
): { readonly value: string; readonly origin: Origin } | undefined {
  const spec = wish.flavor.extraSpecs[key];
  if (spec !== undefined) return { value: spec, origin: { from: 'extra-spec', key, value: spec } };
  const set = wish.image?.properties[property];
  return set === undefined ? undefined : { value: set, origin: { from: 'image-property', key: property, value: set } };
}

const isTrue = (value: string): boolean => ['1', 't', 'true', 'on', 'y', 'yes'].includes(value.trim().toLowerCase());

/**
 * What Nova's scheduler asks Placement for a request: nova/scheduler/utils.py ResourceRequest.from_request_spec, and the pre-filters of
 * nova/scheduler/request_filter.py by the scheduler's options. `pinning: 'fallback'`: the second question that Nova asks for pinned CPUs,
 * for compute hosts that report no PCPU yet ([workarounds]disable_fallback_pcpu_query).
 */
export function placementQuery(wish: Wish, estate: Estate, pinning: 'pcpu' | 'fallback' = 'pcpu'): PlacementQuery {
  const options = optionsOf(estate.scheduler);
  const fromFlavor = extraSpecConstraints(wish);
  const constraints: Constraint[] = [...fromFlavor.constraints, ...imageTraits(wish)];
  if (pinning === 'pcpu') constraints.push(...pinned(wish));
  const ports = wish.ports.flatMap(portGroups);
  constraints.push(...ports.flatMap((p) => p.constraints));
  constraints.push(...sizes(wish, constraints));
  constraints.push(...hardware(wish));
  const asked = constraints.filter((c) => c.kind !== 'resource' || c.amount > 0);
  asked.push(...preFilters(wish, estate, options, asked));
  const named = namedNodes(wish, estate);
  if (named.length === 1) asked.push(...inTree(wish, named));
  const groups = new Set(asked.map((c) => c.suffix).filter((suffix) => suffix !== ''));
  const policy = fromFlavor.policy ?? (groups.size >= 2 && fromFlavor.groups <= 1 ? 'none' : undefined);
  const sameSubtree = ports.flatMap((p) => (p.sameSubtree === undefined ? [] : [p.sameSubtree]));
  return {
    constraints: asked,
    ...(policy === undefined ? {} : { groupPolicy: policy }),
    ...(sameSubtree.length === 0 ? {} : { sameSubtree }),
    ...(named.length > 1 || aboutOthers.some((hint) => Object.hasOwn(wish.hints, hint)) || wish.group !== undefined
      ? { unlimited: true }
      : {}),
  };
}

/** Hints with which Nova wants all candidates. */
const aboutOthers = ['group', 'same_host', 'different_host'] as const;

/** Whether Nova asks a second time, with VCPU for PCPU. */
export const asksFallback = (wish: Wish, estate: Estate): boolean =>
  pinned(wish).some((c) => c.kind === 'resource' && c.resourceClass === 'PCPU') &&
  !optionsOf(estate.scheduler).flag('workarounds.disable_fallback_pcpu_query', false);

function extraSpecConstraints(wish: Wish): {
  readonly constraints: readonly Constraint[];
  readonly groups: number;
  readonly policy?: 'none' | 'isolate';
} {
  const constraints: Constraint[] = [];
  let policy: 'none' | 'isolate' | undefined;
  for (const [key, value] of Object.entries(wish.flavor.extraSpecs)) {
    if (key === 'group_policy' && (value === 'none' || value === 'isolate')) policy = value;
    const [, prefix, suffix = '', name = ''] = granularKey.exec(key) ?? [];
    const origin: Origin = { from: 'extra-spec', key, value };
    if (prefix === 'resources') {
      const amount = Number(value);
      // A value that is no number never gets through Nova's API; zero means that the flavor's own size is not to be asked for.
      if (Number.isInteger(amount)) constraints.push({ kind: 'resource', suffix, resourceClass: name, amount, origin });
    }
    if (prefix === 'trait' && (value === 'required' || value === 'forbidden'))
      constraints.push({ kind: 'trait', suffix, trait: name, wanted: value, origin });
  }
  const groups = new Set(constraints.map((c) => c.suffix).filter((s) => s !== '')).size;
  return policy === undefined ? { constraints, groups } : { constraints, groups, policy };
}

/** trait:NAME=required of an image, always of the unnumbered group. */
function imageTraits(wish: Wish): Constraint[] {
  return Object.entries(wish.image?.properties ?? {}).flatMap(([key, value]): Constraint[] =>
    key.startsWith('trait:') && value === 'required'
      ? [
          {
            kind: 'trait',
            suffix: '',
            trait: key.slice('trait:'.length),
            wanted: 'required',
            origin: { from: 'image-property', key, value },
          },
        ]
      : [],
  );
}

/** hw:cpu_policy=dedicated asks for PCPU instead of VCPU (ResourceRequest._translate_pinning_policies). */
function pinned(wish: Wish): Constraint[] {
  const policy = firstOf(wish, 'hw:cpu_policy', 'hw_cpu_policy');
  const threads = firstOf(wish, 'hw:cpu_thread_policy', 'hw_cpu_thread_policy');
  const found: Constraint[] = [];
  const resource = (resourceClass: string, amount: number, origin: Origin): void => {
    found.push({ kind: 'resource', suffix: '', resourceClass, amount, origin });
  };
  const isolated = wish.flavor.extraSpecs['hw:emulator_threads_policy'] === 'isolate' ? 1 : 0;
  if (policy?.value === 'dedicated') resource('PCPU', wish.flavor.vcpus + isolated, policy.origin);
  if (policy?.value === 'mixed') {
    const dedicated = cpuCount(wish.flavor.extraSpecs['hw:cpu_dedicated_mask'] ?? '', wish.flavor.vcpus);
    resource('VCPU', wish.flavor.vcpus - dedicated, policy.origin);
    resource('PCPU', dedicated + isolated, policy.origin);
  }
  const wanted = threads?.value === 'isolate' ? 'forbidden' : threads?.value === 'require' ? 'required' : undefined;
  if (threads !== undefined && wanted !== undefined)
    found.push({ kind: 'trait', suffix: '', trait: 'HW_CPU_HYPERTHREADING', wanted, origin: threads.origin });
  return found;
}

/** How many of an instance's CPUs a mask names: `0-3,^2`; one that begins with ^ takes away from all. */
const cpuCount = (mask: string, vcpus: number): number =>
  [...cpusIn(mask, firstCpus(vcpus))].filter((cpu) => cpu < vcpus).length;

/** The flavor's own sizes, of classes that nothing else asked for: the root disk of a volume is none of the host's. */
function sizes(wish: Wish, others: readonly Constraint[]): Constraint[] {
  const named = new Set(others.flatMap((c) => (c.kind === 'resource' ? [c.resourceClass] : [])));
  const { flavor } = wish;
  const disk = flavor.ephemeralGb + Math.ceil(flavor.swapMb / 1024) + (wish.fromVolume ? 0 : flavor.diskGb);
  const own = (resourceClass: string, amount: number, attribute: 'ram' | 'vcpus' | 'disk'): Constraint[] =>
    amount > 0 ? [{ kind: 'resource', suffix: '', resourceClass, amount, origin: { from: 'flavor', attribute } }] : [];
  return [
    ...(named.has('VCPU') || named.has('PCPU') ? [] : own('VCPU', flavor.vcpus, 'vcpus')),
    ...(named.has('MEMORY_MB') ? [] : own('MEMORY_MB', flavor.ramMb, 'ram')),
    ...(named.has('DISK_GB') ? [] : own('DISK_GB', disk, 'disk')),
  ];
}

/** Secure boot, virtual TPM, memory encryption, persistent memory, PCI affinity by socket: ResourceRequest._translate_*. */
function hardware(wish: Wish): Constraint[] {
  const found: Constraint[] = [];
  const trait = (name: string, origin: Origin): void => {
    found.push({ kind: 'trait', suffix: '', trait: name, wanted: 'required', origin });
  };
  const boot = firstOf(wish, 'os:secure_boot', 'os_secure_boot');
  if (boot?.value === 'required') trait('COMPUTE_SECURITY_UEFI_SECURE_BOOT', boot.origin);
  const tpm = firstOf(wish, 'hw:tpm_version', 'hw_tpm_version');
  if (tpm !== undefined)
    trait(tpm.value === '1.2' ? 'COMPUTE_SECURITY_TPM_1_2' : 'COMPUTE_SECURITY_TPM_2_0', tpm.origin);
  const affinity = firstOf(wish, 'hw:pci_numa_affinity_policy', 'hw_pci_numa_affinity_policy');
  if (affinity?.value === 'socket') trait('COMPUTE_SOCKET_PCI_NUMA_AFFINITY', affinity.origin);
  const encrypted = firstOf(wish, 'hw:mem_encryption', 'hw_mem_encryption');
  if (encrypted !== undefined && isTrue(encrypted.value))
    found.push({
      kind: 'resource',
      suffix: '',
      resourceClass: 'MEM_ENCRYPTION_CONTEXT',
      amount: 1,
      origin: encrypted.origin,
    });
  const pmem = wish.flavor.extraSpecs['hw:pmem'];
  if (pmem !== undefined) {
    const labels = new Map<string, number>();
    for (const label of pmem.split(',').map((w) => w.trim())) labels.set(label, (labels.get(label) ?? 0) + 1);
    for (const [label, amount] of labels)
      found.push({
        kind: 'resource',
        suffix: '',
        resourceClass: `CUSTOM_PMEM_NAMESPACE_${label.toUpperCase().replace(/[^A-Z0-9]/g, '_')}`,
        amount,
        origin: { from: 'extra-spec', key: 'hw:pmem', value: pmem },
      });
  }
  return found;
}

/** Groups of a port's resource_request: one before Neutron's port-resource-request-groups, a list of them since. */
function portGroups(port: WishedPort): {
  readonly constraints: Constraint[];
  readonly sameSubtree?: readonly string[];
} {
  const request = port.resourceRequest;
  if (request === undefined) return { constraints: [] };
  const groups = Array.isArray(request.request_groups)
    ? request.request_groups
    : [{ id: port.id ?? 'port', ...request }];
  const origin: Origin = { from: 'port', port: port.id ?? port.networkName };
  const constraints = groups.flatMap((group: unknown): Constraint[] => {
    if (!isRecord(group)) return [];
    const suffix = typeof group.id === 'string' ? group.id : (port.id ?? 'port');
    const resources = Object.entries(isRecord(group.resources) ? group.resources : {}).flatMap(
      ([resourceClass, amount]): Constraint[] =>
        typeof amount === 'number' ? [{ kind: 'resource', suffix, resourceClass, amount, origin }] : [],
    );
    const traits = strings(group.required).map(
      (trait): Constraint => ({ kind: 'trait', suffix, trait, wanted: 'required', origin }),
    );
    return [...resources, ...traits];
  });
  const sameSubtree = strings(request.same_subtree);
  return sameSubtree.length === 0 ? { constraints } : { constraints, sameSubtree };
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null;
const strings = (value: unknown): readonly string[] =>
  Array.isArray(value) ? value.filter((v) => typeof v === 'string') : [];

/** Formats that os-traits has a COMPUTE_IMAGE_TYPE_ for; another one is not asked for. */
const imageTypes = new Set(['AKI', 'AMI', 'ARI', 'ISO', 'PLOOP', 'QCOW2', 'RAW', 'VDI', 'VHD', 'VHDX', 'VMDK']);

/** Prefixes of traits by image property (transform_image_metadata). */
const imageTraitPrefix: Readonly<Record<string, string>> = {
  hw_cdrom_bus: 'COMPUTE_STORAGE_BUS',
  hw_disk_bus: 'COMPUTE_STORAGE_BUS',
  hw_video_model: 'COMPUTE_GRAPHICS_MODEL',
  hw_vif_model: 'COMPUTE_NET_VIF_MODEL',
  hw_architecture: 'HW_ARCH',
  hw_emulation_architecture: 'COMPUTE_ARCH',
  hw_viommu_model: 'COMPUTE_VIOMMU',
};

function preFilters(wish: Wish, estate: Estate, options: Options, asked: readonly Constraint[]): Constraint[] {
  const found: Constraint[] = [];
  const memberOf = (aggregates: readonly Aggregate[], wanted: 'required' | 'forbidden', origin: Origin): void => {
    found.push({ kind: 'member-of', suffix: '', aggregates: aggregates.map((a) => a.uuid), wanted, origin });
  };
  const rootTrait = (trait: string, wanted: 'required' | 'forbidden', origin: Origin): void => {
    found.push({ kind: 'trait', suffix: '', trait, wanted, onRoot: true, origin });
  };

  // require_tenant_aggregate
  if (options.flag('scheduler.limit_tenants_to_placement_aggregate', false) && wish.project !== undefined) {
    const { project } = wish;
    const theirs = estate.aggregates.filter((a) =>
      Object.entries(a.metadata).some(([key, value]) => key.startsWith('filter_tenant_id') && value === project),
    );
    const isRequired = options.flag('scheduler.placement_aggregate_required_for_tenants', false);
    if (theirs.length > 0 || isRequired) memberOf(theirs, 'required', { from: 'project', project });
  }

  // map_az_to_placement_aggregate. A zone without an aggregate is not asked for; but Nova's API takes none that does not exist.
  if (wish.zone !== undefined) {
    const { zone } = wish;
    const theirs = estate.aggregates.filter((a) => zoneOf(a) === zone);
    const isKnown =
      theirs.length > 0 || zone === defaultZone(options) || estate.hosts.some((h) => h.service.zone === zone);
    if (!isKnown || (theirs.length > 0 && zonesByPlacement(options)))
      memberOf(theirs, 'required', { from: 'zone', zone });
  }

  // require_image_type_support
  const format = wish.image?.diskFormat?.toUpperCase();
  if (
    options.flag('scheduler.query_placement_for_image_type_support', false) &&
    !wish.fromVolume &&
    format !== undefined &&
    imageTypes.has(format)
  )
    rootTrait(`COMPUTE_IMAGE_TYPE_${format}`, 'required', {
      from: 'image-property',
      key: 'disk_format',
      value: wish.image?.diskFormat ?? '',
    });

  // compute_status_filter
  if (since(options.release, 'train'))
    rootTrait('COMPUTE_STATUS_DISABLED', 'forbidden', { from: 'nova', preFilter: 'compute_status_filter' });

  // isolate_aggregates
  if (options.flag('scheduler.enable_isolated_aggregate_filtering', false)) {
    const wanted = new Set(
      asked.flatMap((c) => (c.kind === 'trait' && c.wanted === 'required' ? [`trait:${c.trait}`] : [])),
    );
    const isolated = estate.aggregates.filter((a) =>
      Object.entries(a.metadata).some(
        ([key, value]) => key.startsWith('trait:') && value === 'required' && !wanted.has(key),
      ),
    );
    if (isolated.length > 0) memberOf(isolated, 'forbidden', { from: 'nova', preFilter: 'isolate_aggregates' });
  }

  // transform_image_metadata
  if (options.flag('scheduler.image_metadata_prefilter', false))
    for (const [key, value] of Object.entries(wish.image?.properties ?? {})) {
      const prefix = Object.hasOwn(imageTraitPrefix, key) ? imageTraitPrefix[key] : undefined;
      if (prefix !== undefined)
        rootTrait(`${prefix}_${value.replaceAll('-', '_').toUpperCase()}`, 'required', {
          from: 'image-property',
          key,
          value,
        });
    }

  // accelerators_filter
  const profile = wish.flavor.extraSpecs['accel:device_profile'];
  if (profile !== undefined && profile !== '')
    rootTrait('COMPUTE_ACCELERATORS', 'required', { from: 'extra-spec', key: 'accel:device_profile', value: profile });

  // remote_managed_ports_filter
  const remote = wish.ports.find((p) => p.vnicType === 'remote-managed' && p.id !== undefined);
  if (remote !== undefined)
    rootTrait('COMPUTE_REMOTE_MANAGED_PORTS', 'required', { from: 'port', port: remote.id ?? remote.networkName });

  // ephemeral_encryption_filter
  const encryption = firstOf(wish, 'hw:ephemeral_encryption', 'hw_ephemeral_encryption');
  if (encryption !== undefined && isTrue(encryption.value)) {
    rootTrait('COMPUTE_EPHEMERAL_ENCRYPTION', 'required', encryption.origin);
    const by = firstOf(wish, 'hw:ephemeral_encryption_format', 'hw_ephemeral_encryption_format');
    if (by !== undefined) rootTrait(`COMPUTE_EPHEMERAL_ENCRYPTION_${by.value.toUpperCase()}`, 'required', by.origin);
  }
  return found;
}

/** The zone that an aggregate makes, by its metadata. */
export const zoneOf = (aggregate: Aggregate): string | undefined =>
  aggregate.metadata.availability_zone ?? aggregate.zone ?? undefined;

/** Nodes of the host that was named; several of one host are told apart later (resources_from_request_spec). */
function namedNodes({ destination }: Wish, estate: Estate): readonly HostFacts[] {
  if (destination === undefined) return [];
  const { host, node } = destination;
  return estate.hosts.filter(
    (h) =>
      (host === undefined || h.host.toLowerCase() === host.toLowerCase()) && (node === undefined || h.node === node),
  );
}

/** The one node of the host that was named narrows the question to its tree. */
const inTree = ({ destination }: Wish, nodes: readonly HostFacts[]): Constraint[] =>
  nodes.flatMap(({ host, provider }): Constraint[] =>
    provider === undefined
      ? []
      : [
          {
            kind: 'in-tree',
            suffix: '',
            provider,
            origin: { from: 'destination', host: destination?.host ?? destination?.node ?? host },
          },
        ],
  );
