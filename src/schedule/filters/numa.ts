import type { ScheduleChange } from '../../engine/schedule.ts';
import type { HostFacts } from '../estate.ts';
import { type Judgement, judged, type Obstacle, passes, unknown } from '../judgement.ts';
import type { Scene } from '../scene.ts';
import type { Wish } from '../wish.ts';
import type { Filter } from './filter.ts';
import {
  fitsOn,
  hasPages,
  hasThreads,
  type OfferedCell,
  offeredCells,
  pinnableOf,
  type WantedTopology,
  wantedTopology,
} from './numa-fit.ts';

type Way = readonly [ScheduleChange, ...ScheduleChange[]];

/** What of a request bears on its NUMA topology: its cells, its pages, its pinned CPUs, their threads. */
const parts = {
  nodes: /^hw[:_]numa_(nodes|cpus(\.\d+)?|mem(\.\d+)?)$/,
  pages: /^hw[:_]mem_page_size$/,
  pinning:
    /^(hw[:_](cpu_policy|cpu_thread_policy|cpu_dedicated_mask|cpu_realtime\w*|emulator_threads_policy)|resources:PCPU)$/,
  threads: /^hw[:_]cpu_thread_policy$/,
  others: /^hw[:_](pmem|locked_memory)$/,
} as const;

/** Extra specs and image properties of a part, each with the change that takes it back. */
function askedOf(wish: Wish, which: readonly (keyof typeof parts)[]): readonly ScheduleChange[] {
  const isOf = ([key]: readonly [string, string]): boolean => which.some((part) => parts[part].test(key));
  return [
    ...Object.entries(wish.flavor.extraSpecs)
      .filter(isOf)
      .map(([key, value]) => ({ kind: 'extra-spec', on: 'request', key, value }) as const),
    ...Object.entries(wish.image?.properties ?? {})
      .filter(isOf)
      .map(([key, value]) => ({ kind: 'image-property', on: 'request', key, value }) as const),
  ];
}

const inWords = (changes: readonly ScheduleChange[]): string =>
  changes.map((c) => ('key' in c ? `${c.key}=${c.value}` : '')).join(', ');

const wayOf = (changes: readonly ScheduleChange[]): readonly Way[] => {
  const [first, ...more] = changes;
  return first === undefined ? [] : [[first, ...more]];
};

const all = ['nodes', 'pages', 'pinning', 'others'] as const;

const obstacle = (wish: Wish, kind: keyof typeof parts | 'whole', because: string, has: string): Obstacle => {
  const asked = askedOf(wish, kind === 'whole' ? all : [kind]);
  return { kind: `numa ${kind}`, of: 'resource', because, wanted: inWords(asked), has, ways: wayOf(asked) };
};

/** Drivers that tell nova-compute of NUMA cells: libvirt's for QEMU and KVM, and Hyper-V's (nova/virt). */
const tellsCells = /^(qemu|kvm|hyperv)$/i;

/** What libvirt's CPU topology says in the API: cells, and threads of a core. */
function toldByApi({ hypervisor }: HostFacts): { readonly cells?: number; readonly threads?: number } {
  const topology = hypervisor.cpuInfo?.topology;
  if (typeof topology !== 'object' || topology === null) return {};
  const { cells, threads } = { cells: undefined, threads: undefined, ...topology };
  return {
    ...(typeof cells === 'number' ? { cells } : {}),
    ...(typeof threads === 'number' ? { threads } : {}),
  };
}

const pageWords = (kb: WantedTopology['page']): string =>
  typeof kb !== 'number'
    ? `${kb} pages`
    : kb % 1_048_576 === 0
      ? `pages of ${kb / 1_048_576} GB`
      : kb % 1024 === 0
        ? `pages of ${kb / 1024} MB`
        : `pages of ${kb} kB`;

/** What a host lacks even when nobody else is on it. */
function lacking(wish: Wish, wanted: WantedTopology, cells: readonly OfferedCell[]): Obstacle[] {
  const found: Obstacle[] = [];
  const nodes = (n: number): string => `${n} NUMA node${n === 1 ? '' : 's'}`;
  if (wanted.cells.length > cells.length)
    found.push(obstacle(wish, 'nodes', `${wanted.cells.length} > ${nodes(cells.length)}`, nodes(cells.length)));
  if (wanted.isPinned && wanted.threads === 'require' && !hasThreads(cells)) found.push(noThreads(wish));
  const memory = Math.max(...wanted.cells.map((c) => c.memoryMb));
  if (wanted.page !== undefined && !cells.some((c) => hasPages(c, wanted.page, memory)))
    found.push(
      obstacle(
        wish,
        'pages',
        `too few ${pageWords(wanted.page)} in a NUMA node`,
        cells.map((c) => `node ${c.id}: ${c.pages.map((p) => `${p.total} of ${p.sizeKb} kB`).join(', ')}`).join('; '),
      ),
    );
  const pinned = Math.max(...wanted.cells.map((c) => c.pinned));
  const most = Math.max(0, ...cells.map((c) => pinnableOf(c, wanted.threads)));
  if (wanted.isPinned && pinned > most && found.every((o) => o.kind !== 'numa threads'))
    found.push(
      obstacle(
        wish,
        'pinning',
        `${pinned} > ${most} CPUs to pin in a NUMA node`,
        cells.map((c) => `node ${c.id}: ${[...c.pinnable].join(',') || 'none'}`).join('; '),
      ),
    );
  return found;
}

const noThreads = (wish: Wish): Obstacle =>
  obstacle(wish, 'threads', 'no threads to pin to', 'one thread for each core');

/**
 * numa_topology_filter.py: cells, pages and CPUs of the node itself and of its nova-compute's configuration, less what Nova says that its
 * instances have of them; without SSH as far as the API tells.
 */
export const numaTopologyFilter: Filter = {
  title: 'numa',
  isWhole: false,
  judge: (host, scene): Judgement => {
    const { wish } = scene;
    const wanted = wantedTopology(wish);
    if (wanted === undefined) return passes;
    const { type } = host.hypervisor;
    if (type !== undefined && !tellsCells.test(type))
      return judged([obstacle(wish, 'whole', 'no NUMA topology', `hypervisor ${type}, which tells of no NUMA cells`)]);
    const node = scene.estate.nodes?.get(host.host);
    const asked = askedOf(wish, all);
    const words = inWords(asked);
    if (node?.cells === undefined || node.options === undefined) {
      const { cells, threads } = toldByApi(host);
      const nodes = wanted.cells.length;
      const found = [
        ...(cells !== undefined && nodes > cells
          ? [obstacle(wish, 'nodes', `${nodes} > ${cells} NUMA node${cells === 1 ? '' : 's'}`, `${cells} NUMA nodes`)]
          : []),
        ...(wanted.isPinned && wanted.threads === 'require' && threads === 1 ? [noThreads(wish)] : []),
      ];
      if (found.length > 0) return judged(found);
      return unknown(
        `${words}: room in the host's NUMA cells is not told by any API`,
        `SSH to ${host.host} (virsh capabilities, its nova.conf), or nova-scheduler at DEBUG: "fails NUMA topology requirements"`,
        wayOf(asked),
      );
    }
    return inCells(wanted, host, scene, wayOf(asked), words);
  },
};

function inCells(
  wanted: WantedTopology,
  host: HostFacts,
  scene: Scene,
  ways: readonly Way[],
  words: string,
): Judgement {
  const { wish } = scene;
  const node = scene.estate.nodes?.get(host.host);
  if (node === undefined) return passes;
  const empty = offeredCells(node);
  if (empty.length === 0)
    return judged([obstacle(wish, 'whole', 'no NUMA topology', `libvirt tells of no NUMA cells on ${host.host}`)]);
  const missing = lacking(wish, wanted, empty);
  if (missing.length > 0) return judged(missing);
  const inventories = scene.treeOf(host)?.[0].inventories;
  const ratios = {
    cpu: inventories?.get('VCPU')?.allocationRatio ?? 16,
    ram: inventories?.get('MEMORY_MB')?.allocationRatio ?? 1.5,
  };
  if (!fitsOn(empty, wanted, ratios))
    return judged([
      obstacle(wish, 'whole', 'not in its NUMA nodes', 'too small for it even when nobody else is there'),
    ]);
  if (node.placed === undefined)
    return unknown(
      `${words}: what instances have of its NUMA cells is not known`,
      `openstack server show --os-compute-api-version 2.78 --topology of each instance on ${host.host}`,
      ways,
    );
  if (!fitsOn(offeredCells(node, node.placed), wanted, ratios))
    return judged([
      obstacle(wish, 'whole', 'NUMA nodes in use', 'not beside what its instances have of its NUMA cells'),
    ]);
  return passes;
}
