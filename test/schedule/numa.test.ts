import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ComputeNode, NumaCell } from '../../src/schedule/estate.ts';
import { explain } from '../../src/schedule/explain.ts';
import { fitsOn, offeredCells, pinnableOf, wantedTopology } from '../../src/schedule/filters/numa-fit.ts';
import type { Wish } from '../../src/schedule/wish.ts';
import { estateOf, flavor, host, scheduler, wishOf } from './cloud.ts';

/** A cell of `cores` cores with `threads` each, numbered from `first`. */
const cell = (id: number, cores: number, threads = 1, memoryMb = 8192, first = id * cores * threads): NumaCell => ({
  id,
  memoryMb,
  pages: [
    { sizeKb: 4, total: memoryMb * 256 },
    { sizeKb: 2048, total: 0 },
  ],
  cpus: Array.from({ length: cores * threads }, (_, i) => {
    const core = Math.floor(i / threads);
    return { id: first + i, siblings: Array.from({ length: threads }, (_, t) => first + core * threads + t) };
  }),
});

const node = (cells: readonly NumaCell[], options: Readonly<Record<string, string>> = {}): ComputeNode => ({
  cells,
  options: new Map(Object.entries(options)),
  where: 'nova.conf on cmp1',
  placed: [],
});

const asking = (specs: Readonly<Record<string, string>>, more: Partial<Wish['flavor']> = {}): Wish =>
  wishOf({ flavor: flavor({ vcpus: 2, ramMb: 1024, extraSpecs: specs, ...more }) });

const settings = scheduler({ enabledFilters: ['ComputeFilter', 'NUMATopologyFilter'] });

const verdictOf = (wish: Wish, own: ComputeNode) => {
  const cmp1 = host('cmp1', { facts: { instances: [] } });
  const schedule = explain(wish, { ...estateOf([cmp1]), scheduler: settings, nodes: new Map([['cmp1', own]]) }, []);
  return schedule.rows[0]?.verdicts[schedule.columns.findIndex((c) => c.id === 'NUMATopologyFilter')];
};

describe('a NUMA topology', () => {
  it('is wanted for nodes, pages and pinned CPUs, and not for a shared policy', () => {
    expect(wantedTopology(asking({ 'hw:cpu_policy': 'shared' }))).toBeUndefined();
    expect(wantedTopology(asking({ 'hw:numa_nodes': '2' }))?.cells).toEqual([
      { memoryMb: 512, shared: 1, pinned: 0 },
      { memoryMb: 512, shared: 1, pinned: 0 },
    ]);
    expect(wantedTopology(asking({ 'hw:mem_page_size': '1GB' }))?.page).toBe(1_048_576);
    expect(wantedTopology(asking({ 'hw:cpu_policy': 'mixed', 'hw:cpu_dedicated_mask': '^0' }))?.cells).toEqual([
      { memoryMb: 1024, shared: 1, pinned: 1 },
    ]);
    const uneven = { 'hw:numa_nodes': '2', 'hw:numa_cpus.0': '0-2', 'hw:numa_cpus.1': '3', 'hw:numa_mem.0': '768' };
    expect(wantedTopology(asking({ ...uneven, 'hw:numa_mem.1': '256' }, { vcpus: 4 }))?.cells).toEqual([
      { memoryMb: 768, shared: 3, pinned: 0 },
      { memoryMb: 256, shared: 1, pinned: 0 },
    ]);
  });

  it('is rejected for what the node lacks, in words', () => {
    const two = asking({ 'hw:numa_nodes': '2' });
    expect(verdictOf(two, node([cell(0, 4)]))).toMatchObject({ state: 'rejects', because: '2 > 1 NUMA node' });
    expect(verdictOf(two, node([cell(0, 2), cell(1, 2)]))).toMatchObject({ state: 'passes' });
    expect(verdictOf(asking({ 'hw:mem_page_size': '2MB' }), node([cell(0, 4)]))).toMatchObject({
      because: 'too few pages of 2 MB in a NUMA node',
      has: 'node 0: 2097152 of 4 kB, 0 of 2048 kB',
    });
    expect(verdictOf(two, node([]))).toMatchObject({ state: 'rejects', because: 'no NUMA topology' });
  });

  it('of pinned CPUs takes those that are for pinning', () => {
    const pinned = asking({ 'hw:cpu_policy': 'dedicated' });
    const cells = [cell(0, 4)];
    expect(verdictOf(pinned, node(cells))).toMatchObject({ state: 'passes' });
    expect(verdictOf(pinned, node(cells, { 'compute.cpu_dedicated_set': '2-3' }))).toMatchObject({ state: 'passes' });
    expect(verdictOf(pinned, node(cells, { 'compute.cpu_dedicated_set': '3' }))).toMatchObject({
      state: 'rejects',
      because: '2 > 1 CPUs to pin in a NUMA node',
    });
    // CPUs that are told to be shared are not for pinning.
    expect(verdictOf(pinned, node(cells, { 'compute.cpu_shared_set': '0-3' }))).toMatchObject({ state: 'rejects' });
  });

  it('does not fit beside what instances have of the cell', () => {
    const pinned = asking({ 'hw:cpu_policy': 'dedicated' });
    const busy = { host: 0, memoryMb: 512, vcpus: [0, 1], pinned: [0, 1] };
    expect(verdictOf(pinned, { ...node([cell(0, 2)]), placed: [busy] })).toMatchObject({
      because: 'NUMA nodes in use',
    });
    expect(verdictOf(pinned, { ...node([cell(0, 4)]), placed: [busy] })).toMatchObject({ state: 'passes' });
    const { placed: _, ...unknown } = node([cell(0, 4)]);
    expect(verdictOf(pinned, unknown)).toMatchObject({ state: 'unknown' });
  });

  it('pins siblings together, each to a core of its own, or as it comes', () => {
    const [offered] = offeredCells({ ...node([cell(0, 2, 2)]), placed: [] }, [
      { host: 0, memoryMb: 0, vcpus: [0], pinned: [0] },
    ]);
    if (offered === undefined) throw new Error('no cell');
    expect(pinnableOf(offered, 'prefer')).toBe(3);
    expect(pinnableOf(offered, 'require')).toBe(2);
    expect(pinnableOf(offered, 'isolate')).toBe(1);
  });

  it('fits when any way to give each of its cells one of the host fits', () => {
    const sizes = fc.record({ cores: fc.integer({ min: 1, max: 3 }), memoryMb: fc.constantFrom(512, 1024, 2048) });
    fc.assert(
      fc.property(
        fc.array(sizes, { minLength: 1, maxLength: 3 }),
        fc.integer({ min: 1, max: 3 }),
        fc.integer({ min: 1, max: 3 }),
        fc.constantFrom('dedicated', 'shared'),
        (given, nodes, each, policy) => {
          const cells = given.map((g, id) => cell(id, g.cores, 1, g.memoryMb, id * 8));
          const wish = asking(
            { 'hw:numa_nodes': `${nodes}`, 'hw:cpu_policy': policy },
            { vcpus: nodes * each, ramMb: nodes * 1024 },
          );
          const topology = wantedTopology(wish);
          if (topology === undefined) throw new Error('none is wanted');
          // All cells that are wanted are alike, so as many as are wanted must each be big enough.
          const able = given.filter((g) => g.cores >= each && g.memoryMb >= 1024).length;
          expect(fitsOn(offeredCells(node(cells)), topology, { cpu: 16, ram: 1 })).toBe(able >= nodes);
        },
      ),
    );
  });
});
