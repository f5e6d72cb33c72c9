import { passes, unknown } from '../judgement.ts';
import type { Wish } from '../wish.ts';
import type { Filter } from './filter.ts';

/** Extra specs and image properties from which Nova makes a NUMA topology (nova/virt/hardware.py numa_get_constraints). */
const asking =
  /^hw[:_](numa_nodes|numa_cpus(\.\d+)?|numa_mem(\.\d+)?|mem_page_size|cpu_realtime|cpu_realtime_mask|cpu_dedicated_mask|pmem|locked_memory)$/;

/** What of a request asks for NUMA; a shared CPU policy, or one of threads alone, does not. */
export function numaOf(wish: Wish): string | undefined {
  const all = [...Object.entries(wish.flavor.extraSpecs), ...Object.entries(wish.image?.properties ?? {})];
  const [key, value] =
    all.find(([k, v]) => asking.test(k) || (/^hw[:_]cpu_policy$/.test(k) && (v === 'dedicated' || v === 'mixed'))) ??
    [];
  return key === undefined ? undefined : `${key}=${value}`;
}

/** numa_topology_filter.py: which cells have room for it is in no API. */
export const numaTopologyFilter: Filter = {
  title: 'numa',
  isWhole: false,
  judge: (_host, { wish }) => {
    const asked = numaOf(wish);
    return asked === undefined
      ? passes
      : unknown(
          `${asked}: room in the host's NUMA cells is not told by any API`,
          'nova-scheduler at DEBUG: "fails NUMA topology requirements"',
        );
  },
};
