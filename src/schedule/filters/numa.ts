import type { ScheduleChange } from '../../engine/schedule.ts';
import type { HostFacts } from '../estate.ts';
import { judged, passes, unknown } from '../judgement.ts';
import type { Wish } from '../wish.ts';
import type { Filter } from './filter.ts';

/** Extra specs and image properties from which Nova makes a NUMA topology (nova/virt/hardware.py numa_get_constraints). */
const asking =
  /^hw[:_](numa_nodes|numa_cpus(\.\d+)?|numa_mem(\.\d+)?|mem_page_size|cpu_realtime|cpu_realtime_mask|cpu_dedicated_mask|pmem|locked_memory)$/;

/** What of a request asks for NUMA, each with the change that takes it back; a shared CPU policy, or one of threads alone, does not. */
function askedOf(wish: Wish): readonly { readonly words: string; readonly change: ScheduleChange }[] {
  const isAsking = ([key, value]: readonly [string, string]): boolean =>
    asking.test(key) || (/^hw[:_]cpu_policy$/.test(key) && (value === 'dedicated' || value === 'mixed'));
  return [
    ...Object.entries(wish.flavor.extraSpecs)
      .filter(isAsking)
      .map(([key, value]) => ({
        words: `${key}=${value}`,
        change: { kind: 'extra-spec', on: 'request', key, value } as const,
      })),
    ...Object.entries(wish.image?.properties ?? {})
      .filter(isAsking)
      .map(([key, value]) => ({
        words: `${key}=${value}`,
        change: { kind: 'image-property', on: 'request', key, value } as const,
      })),
  ];
}

/** How many NUMA cells the host has, where libvirt says so. */
function cellsOf(host: HostFacts): number | undefined {
  const topology = host.hypervisor.cpuInfo?.topology;
  const cells = typeof topology === 'object' && topology !== null && 'cells' in topology ? topology.cells : undefined;
  return typeof cells === 'number' ? cells : undefined;
}

/**
 * numa_topology_filter.py: which cells have room for it is in no API. But an instance has no more cells than its host
 * (nova/virt/hardware.py numa_fit_instance_to_host).
 */
export const numaTopologyFilter: Filter = {
  title: 'numa',
  isWhole: false,
  judge: (host, { wish }) => {
    const all = askedOf(wish);
    const [first, ...more] = all.map((a) => a.change);
    if (first === undefined) return passes;
    const words = all.map((a) => a.words).join(', ');
    const cells = cellsOf(host);
    const wanted = wish.flavor.extraSpecs['hw:numa_nodes'] ?? wish.image?.properties.hw_numa_nodes;
    const nodes = all.find((a) => /^hw[:_]numa_nodes=/.test(a.words));
    if (cells !== undefined && nodes !== undefined && Number(wanted) > cells)
      return judged([
        {
          kind: 'numa nodes',
          of: 'resource',
          because: `${wanted} > ${cells} NUMA node${cells === 1 ? '' : 's'}`,
          wanted: nodes.words,
          has: `${cells} NUMA node${cells === 1 ? '' : 's'}`,
          ways: [[first, ...more]],
        },
      ]);
    return unknown(
      `${words}: room in the host's NUMA cells is not told by any API`,
      'nova-scheduler at DEBUG: "fails NUMA topology requirements"',
      [[first, ...more]],
    );
  },
};
