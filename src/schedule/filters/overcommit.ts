import type { HostFacts } from '../estate.ts';
import { judged, passes, unknown } from '../judgement.ts';
import type { Scene } from '../scene.ts';
import type { WishedFlavor } from '../wish.ts';
import type { Filter } from './filter.ts';

/** A size that Nova itself counted until Placement did (core_filter.py, ram_filter.py, disk_filter.py of Stein and older). */
interface Size {
  readonly title: string;
  readonly unit: string;
  readonly resourceClass: 'VCPU' | 'MEMORY_MB' | 'DISK_GB';
  readonly ratio: 'cpu_allocation_ratio' | 'ram_allocation_ratio' | 'disk_allocation_ratio';
  /** Of the release, where neither nova-compute nor nova.conf says one. */
  readonly standard: number;
  wanted(flavor: WishedFlavor): number;
  total(host: HostFacts): number | undefined;
  used(host: HostFacts): number | undefined;
}

const cores: Size = {
  title: 'cores',
  unit: 'VCPU',
  resourceClass: 'VCPU',
  ratio: 'cpu_allocation_ratio',
  standard: 16,
  wanted: (f) => f.vcpus,
  total: (h) => h.hypervisor.vcpus,
  used: (h) => h.hypervisor.vcpusUsed,
};
const ram: Size = {
  title: 'ram',
  unit: 'MB',
  resourceClass: 'MEMORY_MB',
  ratio: 'ram_allocation_ratio',
  standard: 1.5,
  wanted: (f) => f.ramMb,
  total: (h) => h.hypervisor.memoryMb,
  used: (h) => h.hypervisor.memoryMbUsed,
};
const disk: Size = {
  title: 'disk',
  unit: 'GB',
  resourceClass: 'DISK_GB',
  ratio: 'disk_allocation_ratio',
  standard: 1,
  wanted: (f) => f.diskGb + f.ephemeralGb + f.swapMb / 1024,
  total: (h) => h.hypervisor.localGb,
  used: (h) => h.hypervisor.localGbUsed,
};

/** The least of the host's aggregates where the filter asks them, else what nova-compute reports, nova.conf, the release. */
function ratioOf(size: Size, byAggregate: boolean, host: HostFacts, scene: Scene): number {
  if (byAggregate) {
    const values = scene.valuesOf(host.host, size.ratio).map(Number);
    if (values.length > 0 && values.every(Number.isFinite)) return Math.min(...values);
  }
  const reported = scene.treeOf(host)?.[0].inventories.get(size.resourceClass)?.allocationRatio;
  return reported ?? (scene.options.number(`DEFAULT.${size.ratio}`, 0) || size.standard);
}

/** No instance may be larger than what the host has, and with the others it may be no more than that times the ratio. */
const sized = (size: Size, byAggregate: boolean): Filter => ({
  title: size.title,
  isWhole: true,
  judge: (host, scene) => {
    const [total, used] = [size.total(host), size.used(host)];
    if (total === undefined || used === undefined)
      return unknown(
        `${size.title} of the hypervisor are not known`,
        'openstack hypervisor show HOST, before microversion 2.88',
      );
    if (size.resourceClass === 'VCPU' && total === 0) return passes;
    const wanted = size.wanted(scene.wish.flavor);
    const ratio = ratioOf(size, byAggregate, host, scene);
    const room = Math.floor(Math.min(total, total * ratio - used));
    if (wanted <= Math.min(total, total * ratio - used)) return passes;
    return judged([
      {
        kind: `resource :${size.resourceClass}`,
        of: 'resource',
        because: `${wanted} > ${room} ${size.unit}`,
        wanted: `${wanted} ${size.unit}`,
        has: `${room} ${size.unit} free (total ${total}, ratio ${ratio}, used ${used})`,
        amount: { asked: wanted, has: room, unit: size.unit },
        ways:
          room > 0
            ? [[{ kind: 'resource', on: 'request', resource: size.resourceClass, asked: wanted, atMost: room }]]
            : [],
      },
    ]);
  },
});

export const coreFilter: Filter = sized(cores, false);
export const aggregateCoreFilter: Filter = sized(cores, true);
export const ramFilter: Filter = sized(ram, false);
export const aggregateRamFilter: Filter = sized(ram, true);
export const diskFilter: Filter = sized(disk, false);
export const aggregateDiskFilter: Filter = sized(disk, true);
