import { cpusIn, firstCpus } from '../cpus.ts';
import type { ComputeNode, PlacedCell } from '../estate.ts';
import type { Wish } from '../wish.ts';

/** A NUMA topology as an instance wants it (nova/virt/hardware.py numa_get_constraints). */
export interface WantedTopology {
  readonly cells: readonly { readonly memoryMb: number; readonly shared: number; readonly pinned: number }[];
  /** hw:mem_page_size: kB, or a kind. */
  readonly page?: number | 'small' | 'large' | 'any';
  readonly threads: 'require' | 'isolate' | 'prefer';
  readonly isPinned: boolean;
  /** hw:emulator_threads_policy=isolate: one more CPU where the first cell is. */
  readonly emulator: 0 | 1;
}

/** The flavor's word, else the image's. */
const said = (wish: Wish, name: string): string | undefined =>
  wish.flavor.extraSpecs[`hw:${name}`] ?? wish.image?.properties[`hw_${name}`];

const unitsKb: Readonly<Record<string, number>> = {
  '': 1,
  kb: 1,
  kib: 1,
  k: 1,
  mb: 1024,
  mib: 1024,
  m: 1024,
  gb: 1_048_576,
  gib: 1_048_576,
  g: 1_048_576,
};

function pageOf(text: string | undefined): WantedTopology['page'] {
  if (text === undefined || text === 'small' || text === 'large' || text === 'any') return text;
  const [, number = '', unit = ''] = /^(\d+)\s*([a-z]*)$/i.exec(text.trim()) ?? [];
  const kb = unitsKb[unit.toLowerCase()];
  return number === '' || kb === undefined ? undefined : Number(number) * kb;
}

/** None where the request asks for none. Lists that Nova's API would refuse are not judged here: the cells are then even. */
export function wantedTopology(wish: Wish): WantedTopology | undefined {
  const { flavor } = wish;
  const policy =
    said(wish, 'cpu_policy') ?? (Number(flavor.extraSpecs['resources:PCPU'] ?? 0) > 0 ? 'dedicated' : undefined);
  const isPinned = policy === 'dedicated' || policy === 'mixed';
  const nodes = Number(said(wish, 'numa_nodes') ?? 0);
  const page = pageOf(said(wish, 'mem_page_size'));
  if (!isPinned && !(nodes > 0) && page === undefined && flavor.extraSpecs['hw:pmem'] === undefined) return undefined;
  const cpus = firstCpus(flavor.vcpus);
  const mask = flavor.extraSpecs['hw:cpu_dedicated_mask'] ?? said(wish, 'cpu_realtime_mask') ?? '';
  const pinned = policy === 'dedicated' ? new Set(cpus) : policy === 'mixed' ? cpusIn(mask, cpus) : new Set<number>();
  const count = nodes > 0 ? nodes : 1;
  const share = Math.ceil(flavor.vcpus / count);
  const cells = Array.from({ length: count }, (_, i) => {
    const named = said(wish, `numa_cpus.${i}`);
    const mine = named === undefined ? cpus.slice(i * share, (i + 1) * share) : [...cpusIn(named)];
    const memoryMb = Number(said(wish, `numa_mem.${i}`) ?? flavor.ramMb / count);
    const dedicated = mine.filter((cpu) => pinned.has(cpu)).length;
    return { memoryMb, shared: mine.length - dedicated, pinned: dedicated };
  });
  const threads = said(wish, 'cpu_thread_policy');
  return {
    cells,
    ...(page === undefined ? {} : { page }),
    threads: threads === 'require' || threads === 'isolate' ? threads : 'prefer',
    isPinned,
    emulator: isPinned && flavor.extraSpecs['hw:emulator_threads_policy'] === 'isolate' ? 1 : 0,
  };
}

/** A cell of the host as nova-compute reports it, with what is in use of it. */
export interface OfferedCell {
  readonly id: number;
  readonly memoryMb: number;
  readonly shared: ReadonlySet<number>;
  readonly pinnable: ReadonlySet<number>;
  /** CPUs of one core together, those alone that instances may have. */
  readonly cores: readonly (readonly number[])[];
  /** Ascending. */
  readonly pages: readonly {
    readonly sizeKb: number;
    readonly total: number;
    readonly reserved: number;
    readonly used: number;
  }[];
  readonly memoryUsed: number;
  readonly cpusUsed: number;
  readonly pinned: ReadonlySet<number>;
}

/** nova/virt/libvirt/driver.py _get_host_numa_topology, less what `placed` has (hardware.py numa_usage_from_instance_numa). */
export function offeredCells(
  { cells = [], options }: ComputeNode,
  placed: readonly PlacedCell[] = [],
): readonly OfferedCell[] {
  const text = (name: string): string => options?.get(name)?.trim() ?? '';
  const online = new Set(cells.flatMap((c) => c.cpus.map((cpu) => cpu.id)));
  const legacy = text('DEFAULT.vcpu_pin_set');
  const sharing = text('compute.cpu_shared_set');
  const dedicated = cpusIn(text('compute.cpu_dedicated_set'));
  const shared =
    legacy !== ''
      ? cpusIn(legacy, [...online])
      : sharing !== ''
        ? cpusIn(sharing, [...online])
        : dedicated.size > 0
          ? new Set<number>()
          : online;
  // Where nobody says which CPUs are for pinning, all that may be used are (until they are told apart).
  const pinnable = dedicated.size === 0 && !(sharing !== '' && legacy === '') ? shared : dedicated;
  const reserved = text('DEFAULT.reserved_huge_pages')
    .split('\n')
    .map((line) => new Map(line.split(',').map((pair) => pair.split(':').map((w) => w.trim()) as [string, string])));
  return cells.map((cell) => {
    const mine = placed.filter((p) => p.host === cell.id);
    const ids = cell.cpus.map((cpu) => cpu.id);
    const usable = new Set(ids.filter((id) => shared.has(id) || pinnable.has(id)));
    const cores = new Map(
      cell.cpus.map(({ id, siblings }) => {
        const core = (siblings.length === 0 ? [id] : siblings).filter((s) => usable.has(s)).sort((a, b) => a - b);
        return [core.join(), core] as const;
      }),
    );
    const [smallest] = [...cell.pages].sort((a, b) => a.sizeKb - b.sizeKb);
    return {
      id: cell.id,
      memoryMb: cell.memoryMb,
      shared: new Set(ids.filter((id) => shared.has(id))),
      pinnable: new Set(ids.filter((id) => pinnable.has(id))),
      cores: [...cores.values()].filter((core) => core.length > 0),
      pages: [...cell.pages]
        .sort((a, b) => a.sizeKb - b.sizeKb)
        .map(({ sizeKb, total }) => {
          const kept = reserved.find((r) => Number(r.get('node')) === cell.id && pageOf(r.get('size')) === sizeKb);
          const used = mine
            .filter((p) => (p.pageKb ?? smallest?.sizeKb) === sizeKb)
            .reduce((sum, p) => sum + (p.memoryMb * 1024) / sizeKb, 0);
          return { sizeKb, total, reserved: Number(kept?.get('count') ?? 0), used };
        }),
      memoryUsed: mine.reduce((sum, p) => sum + p.memoryMb, 0),
      cpusUsed: mine.reduce((sum, p) => sum + p.vcpus.length - p.pinned.length, 0),
      pinned: new Set(mine.flatMap((p) => p.pinned)),
    };
  });
}

export const hasThreads = (cells: readonly OfferedCell[]): boolean =>
  cells.some((c) => c.cores.some((core) => core.length > 1));

/** Whether a page size that is wanted has room for a cell's memory (_numa_cell_supports_pagesize_request). */
export function hasPages({ pages }: OfferedCell, page: WantedTopology['page'], memoryMb: number): boolean {
  const kb = memoryMb * 1024;
  const fits = ({ sizeKb, total, reserved, used }: OfferedCell['pages'][number], isFree: boolean): boolean =>
    kb <= (isFree ? total - reserved - used : total) * sizeKb && kb % sizeKb === 0;
  // Without a page size memory may be over-committed, in the smallest pages.
  if (page === undefined) return pages[0] === undefined || fits(pages[0], false);
  const able =
    page === 'small'
      ? pages.slice(0, 1)
      : page === 'large'
        ? pages.slice(1)
        : page === 'any'
          ? pages
          : pages.filter((p) => p.sizeKb === page);
  return able.some((p) => fits(p, true));
}

/** How many CPUs of a cell can be pinned under the policy for threads (_pack_instance_onto_cores). */
export function pinnableOf(cell: OfferedCell, threads: WantedTopology['threads']): number {
  const free = cell.cores.map((core) => core.filter((cpu) => cell.pinnable.has(cpu) && !cell.pinned.has(cpu)).length);
  const most = Math.max(0, ...cell.cores.map((core) => core.length));
  if (threads === 'isolate') {
    // Cores with threads only where one set of CPUs is for both (Launchpad 1889633).
    const isOneSet = cell.pinnable.size === cell.shared.size && [...cell.pinnable].every((cpu) => cell.shared.has(cpu));
    if (most > 1 && !isOneSet) return 0;
    return free.filter((n) => n === most).length;
  }
  if (threads === 'prefer') return free.reduce((a, b) => a + b, 0);
  const by = Array.from({ length: Math.max(0, most - 1) }, (_, i) => (i + 2) * free.filter((n) => n >= i + 2).length);
  return Math.max(0, ...by);
}

/** _numa_fit_instance_cell. */
function cellFits(
  offered: OfferedCell,
  wanted: WantedTopology['cells'][number],
  topology: WantedTopology,
  emulator: number,
  ratios: Ratios,
): boolean {
  if (!hasPages(offered, topology.page, wanted.memoryMb)) return false;
  if (topology.isPinned) {
    const pinned = wanted.pinned + emulator;
    const free = [...offered.pinnable].filter((cpu) => !offered.pinned.has(cpu)).length;
    if (pinned > free || wanted.memoryMb > offered.memoryMb - offered.memoryUsed) return false;
    if (wanted.pinned > pinnableOf(offered, topology.threads)) return false;
  }
  if (wanted.shared > offered.shared.size) return false;
  // Of pinned CPUs alone, no ratio is asked.
  if (topology.isPinned && wanted.shared === 0) return true;
  return (
    offered.cpusUsed + wanted.shared <= offered.shared.size * ratios.cpu &&
    offered.memoryUsed + wanted.memoryMb <= offered.memoryMb * ratios.ram
  );
}

export interface Ratios {
  readonly cpu: number;
  readonly ram: number;
}

/** Whether each cell that is wanted finds a cell of its own (numa_fit_instance_to_host). */
export function fitsOn(cells: readonly OfferedCell[], topology: WantedTopology, ratios: Ratios): boolean {
  const place = (at: number, left: readonly OfferedCell[]): boolean => {
    const wanted = topology.cells[at];
    if (wanted === undefined) return true;
    const emulator = at === 0 ? topology.emulator : 0;
    return left.some(
      (cell) =>
        cellFits(cell, wanted, topology, emulator, ratios) &&
        place(
          at + 1,
          left.filter((c) => c !== cell),
        ),
    );
  };
  return place(0, cells);
}
