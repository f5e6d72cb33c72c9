import type { HostFacts } from '../estate.ts';
import { judged, type Obstacle, passes, unknown } from '../judgement.ts';
import type { Filter } from './filter.ts';
import { imageProperties, type KnownProperty } from './image-meta.ts';

/** Names of one thing (nova/objects/fields.py Architecture, HVType, VMMode canonicalize). */
const aliases: Readonly<Record<string, string>> = {
  amd64: 'x86_64',
  x86: 'i686',
  i386: 'i686',
  i486: 'i686',
  i586: 'i686',
  xapi: 'xen',
  powervm: 'phyp',
  hv: 'hvm',
  pv: 'xen',
  baremetal: 'baremetal',
};
const canonical = (value: string): string => {
  const lower = value.trim().toLowerCase();
  return Object.hasOwn(aliases, lower) ? (aliases[lower] ?? lower) : lower;
};

const listing = 'virsh capabilities on the compute host: its guests, architectures and domain types';

type Answer = 'yes' | 'no' | 'unknown';

/** hypervisor_type as nova-compute reports it → what its supported_instances name. libvirt reports QEMU for KVM, too. */
const familyOf: Readonly<Record<string, readonly string[]>> = {
  qemu: ['qemu', 'kvm'],
  kvm: ['qemu', 'kvm'],
  fake: ['fake'],
  ironic: ['baremetal', 'ironic'],
  lxc: ['lxc'],
  xen: ['xen'],
  parallels: ['parallels', 'vz'],
  vz: ['parallels', 'vz'],
  'vmware vcenter server': ['vmware'],
  hyperv: ['hyperv'],
  'hyper-v': ['hyperv'],
};

function typeSupported(wanted: string, host: HostFacts): Answer {
  const type = host.hypervisor.type?.toLowerCase();
  const family = type === undefined || !Object.hasOwn(familyOf, type) ? undefined : familyOf[type];
  if (family === undefined) return 'unknown';
  if (!family.includes(wanted)) return 'no';
  return wanted === 'kvm' && (type === 'qemu' || type === 'kvm') ? 'unknown' : 'yes';
}

function architectureSupported(wanted: string, host: HostFacts, traits: ReadonlySet<string>): Answer {
  const own = host.hypervisor.cpuInfo?.arch;
  const arch = typeof own === 'string' ? canonical(own) : undefined;
  if (arch === wanted || (arch === 'x86_64' && wanted === 'i686')) return 'yes';
  if (traits.has(`COMPUTE_ARCH_${wanted.toUpperCase()}`) || traits.has(`HW_ARCH_${wanted.toUpperCase()}`)) return 'yes';
  if (arch === undefined) return 'unknown';
  // libvirt lists every architecture that QEMU has an emulator of on the host; which are installed is in no API.
  return host.hypervisor.type?.toLowerCase() === 'qemu' && emulated.has(wanted) ? 'unknown' : 'no';
}

const emulated = new Set(
  (
    'aarch64 alpha armv6 armv7 armv7l cris i686 lm32 m68k microblaze microblazeel mips mipsel mips64 mips64el openrisc parisc ppc ppc64 ' +
    'ppc64le riscv64 s390x sh4 sh4eb sparc sparc64 x86_64 xtensa xtensaeb'
  ).split(' '),
);

const modes: Readonly<Record<string, readonly string[]>> = { qemu: ['hvm'], kvm: ['hvm'], fake: ['hvm'], lxc: ['exe'] };
function modeSupported(wanted: string, host: HostFacts): Answer {
  const type = host.hypervisor.type?.toLowerCase() ?? '';
  const known = Object.hasOwn(modes, type) ? modes[type] : undefined;
  return known === undefined ? 'unknown' : known.includes(wanted) ? 'yes' : 'no';
}

/** 7002000 → 7.2.0 (oslo.utils versionutils.convert_version_to_str). */
const versionParts = (version: number): readonly number[] => [
  Math.floor(version / 1_000_000),
  Math.floor(version / 1000) % 1000,
  version % 1000,
];

/** `>=6.0, <8` of img_hv_requested_version (distutils.versionpredicate); undefined where it is no predicate. */
function versionMeets(version: number, predicate: string): boolean | undefined {
  const have = versionParts(version);
  const terms = predicate.split(',').map((term) => /^\s*(<=|>=|==|!=|<|>)\s*([\d.]+)\s*$/.exec(term));
  if (terms.some((term) => term === null)) return undefined;
  return terms.every((term) => {
    const want = (term?.[2] ?? '').split('.').map(Number);
    const order = [0, 1, 2].map((i) => Math.sign((have[i] ?? 0) - (want[i] ?? 0))).find((d) => d !== 0) ?? 0;
    switch (term?.[1]) {
      case '<=':
        return order <= 0;
      case '>=':
        return order >= 0;
      case '==':
        return order === 0;
      case '!=':
        return order !== 0;
      case '<':
        return order < 0;
      default:
        return order > 0;
    }
  });
}

/**
 * image_props_filter.py ImagePropertiesFilter: architecture, hypervisor type and VM mode of the image are among the host's
 * supported_instances, and its version is one that the image wants. No API tells supported_instances: type and CPU of the hypervisor do for
 * what every one of its kind has or has not.
 */
export const imagePropertiesFilter: Filter = {
  title: 'image',
  isWhole: false,
  judge: (host, scene) => {
    const properties = imageProperties(scene.wish.image);
    const traits = scene.treeOf(host)?.[0].traits ?? new Set<string>();
    const standard = scene.options.text('filter_scheduler.image_properties_default_architecture');
    const arch =
      properties.get('hw_architecture') ??
      (standard === undefined || standard === '' ? undefined : { key: '', value: standard });
    const type = properties.get('img_hv_type');
    const mode = properties.get('hw_vm_mode');
    if (arch === undefined && type === undefined && mode === undefined) return passes;
    const { cpuInfo, type: reported = 'of an unknown type', version } = host.hypervisor;
    const checks: readonly {
      readonly set: KnownProperty | undefined;
      readonly answer: Answer;
      readonly has: string;
    }[] = [
      {
        set: arch,
        answer: arch === undefined ? 'yes' : architectureSupported(canonical(arch.value), host, traits),
        has: `CPU ${typeof cpuInfo?.arch === 'string' ? cpuInfo.arch : 'unknown'}`,
      },
      {
        set: type,
        answer: type === undefined ? 'yes' : typeSupported(canonical(type.value), host),
        has: `hypervisor ${reported}`,
      },
      {
        set: mode,
        answer: mode === undefined ? 'yes' : modeSupported(canonical(mode.value), host),
        has: `hypervisor ${reported}`,
      },
    ];
    const wantedVersion = properties.get('img_hv_requested_version');
    const obstacles = checks.flatMap(({ set, answer, has }): Obstacle[] =>
      set === undefined || answer !== 'no' ? [] : [obstacle(set, has)],
    );
    if (
      wantedVersion !== undefined &&
      version !== undefined &&
      version > 0 &&
      versionMeets(version, wantedVersion.value) === false
    )
      obstacles.push(obstacle(wantedVersion, `version ${versionParts(version).join('.')}`));
    if (obstacles.length > 0) return judged(obstacles);
    const open = checks.find(({ answer }) => answer === 'unknown');
    if (open?.set === undefined) return passes;
    const { key, value } = open.set;
    return unknown(
      `whether it runs ${value} is not told by any API`,
      listing,
      key === '' ? [] : [[{ kind: 'image-property', on: 'request', key, value }]],
    );
  },
};

const obstacle = ({ key, value }: KnownProperty, has: string): Obstacle => ({
  kind: `image ${key}`,
  of: 'image',
  because: `${value}: ${has}`,
  wanted: `${key === '' ? 'image_properties_default_architecture' : key}=${value}`,
  has,
  ways:
    key === ''
      ? [
          [
            {
              kind: 'filter',
              on: 'cloud',
              filter: 'ImagePropertiesFilter',
              because: 'image_properties_default_architecture is set',
            },
          ],
        ]
      : [[{ kind: 'image-property', on: 'request', key, value }]],
});

/** aggregate_image_properties_isolation.py: what an aggregate of the host and the image both say has to be the same. */
export const aggregateImagePropertiesIsolation: Filter = {
  title: 'image isolation',
  isWhole: true,
  judge: ({ host }, scene) => {
    const namespace = scene.options.text('filter_scheduler.aggregate_image_properties_isolation_namespace');
    const separator = scene.options.text('filter_scheduler.aggregate_image_properties_isolation_separator') || '.';
    const properties = imageProperties(scene.wish.image);
    const obstacles: Obstacle[] = [];
    for (const [key, values] of scene.metadataOf(host)) {
      if (namespace !== undefined && namespace !== '' && !key.startsWith(namespace + separator)) continue;
      const set = properties.get(key);
      if (set === undefined || set.value === '' || values.has(set.value)) continue;
      const [aggregate] = scene.aggregatesOf(host).filter((a) => Object.hasOwn(a.metadata, key));
      obstacles.push({
        kind: `image isolation ${key}`,
        of: 'image',
        because: `${key}: ${[...values].join(', ')}`,
        wanted: `${set.key}=${set.value}`,
        has: `${key}=${[...values].join(',')}${aggregate === undefined ? '' : ` of aggregate ${aggregate.name}`}`,
        ways: [
          [{ kind: 'image-property', on: 'request', key: set.key, value: set.value }],
          ...(aggregate === undefined
            ? []
            : ([
                [
                  {
                    kind: 'aggregate-property',
                    on: 'cloud',
                    aggregate: aggregate.name,
                    key,
                    value: `${aggregate.metadata[key] ?? ''},${set.value}`,
                  },
                ],
              ] as const)),
        ],
      });
    }
    return judged(obstacles);
  },
};
