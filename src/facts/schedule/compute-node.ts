import { z } from 'zod';
import type { Evidence } from '../../engine/evidence.ts';
import { observed } from '../../engine/fact.ts';
import { listPci, parsePci } from '../../nodes/parse/pci.ts';
import { parseCapabilities } from '../../nodes/parse/virsh.ts';
import { cpusIn } from '../../schedule/cpus.ts';
import type { ComputeNode, HostFacts, PlacedCell } from '../../schedule/estate.ts';
import { hostLayout } from '../host.ts';
import { run, type Store, showing, source } from '../io.ts';
import { inShort } from './in-short.ts';
import { parseOptions, readConfiguration } from './settings.ts';

/** What a compute node shows of its NUMA cells and PCI devices, and of how its nova-compute is told to use them. Each as far as it can be read. */
export const computeNode = source<string, ComputeNode>(
  'schedule.compute-node',
  (host) => host,
  async (host, facts) => {
    const layout = await facts.get(hostLayout, host);
    if (!layout.ok) return layout;
    const virsh = layout.value.value.within('libvirtd');
    const [first = 'virsh', ...rest] = [...virsh, 'virsh', '-c', 'qemu:///system', 'capabilities'];
    const [configuration, capabilities, pci] = await Promise.all([
      readConfiguration(facts, host, 'nova-compute'),
      run(facts, host, { argv: [first, ...rest], impact: 'read', become: true }),
      run(facts, host, { argv: ['sh', '-c', listPci], impact: 'read' }),
    ]);
    const evidence: Evidence[] = [];
    const read = configuration === undefined ? undefined : parseOptions(configuration.result.stdout);
    if (configuration !== undefined && read !== undefined) {
      const named = '-E cpu_(dedicated|shared)_set|vcpu_pin_set|device_spec|passthrough_whitelist';
      const told = [...read.options].filter(([key]) => /^(compute|pci)\.|pin_set$|pages$/.test(key));
      const short = inShort(configuration, ['grep', '-H', ...named.split(' '), ...read.files]).evidence;
      evidence.push(showing(short, told.length === 0 ? 'none of them is set' : told.map(([k, v]) => `${k} = ${v}`)));
    }
    const topology =
      capabilities.ok && capabilities.value.result.code === 0
        ? parseCapabilities(capabilities.value.result.stdout)
        : undefined;
    const cells = topology?.ok === true ? topology.value : undefined;
    if (capabilities.ok && cells !== undefined) {
      const words = cells.map(
        (c) =>
          `cell ${c.id}: ${Math.floor(c.memoryKb / 1024)} MB, CPUs ${c.cpus.map((cpu) => cpu.id).join(',')}, pages ${c.pages.map((p) => `${p.total} of ${p.sizeKb} kB`).join(', ')}`,
      );
      evidence.push(showing(capabilities.value.evidence, words.length === 0 ? 'no NUMA cells' : words));
    }
    const devices = pci.ok && pci.value.result.code === 0 ? parsePci(pci.value.result.stdout) : undefined;
    const interfaces = new Map(devices?.flatMap((d) => (d.interface === undefined ? [] : [[d.address, d.interface]])));
    return observed<ComputeNode>(
      {
        ...(cells === undefined
          ? {}
          : {
              cells: cells.map((c) => ({
                id: c.id,
                memoryMb: Math.floor(c.memoryKb / 1024),
                pages: c.pages,
                cpus: c.cpus.map((cpu) => ({ id: cpu.id, siblings: [...cpusIn(cpu.siblings)] })),
              })),
            }),
        ...(devices === undefined
          ? {}
          : {
              devices: devices.map((d) => {
                // `devname` of a specification is the physical function's, for all its virtual ones.
                const name = interfaces.get(d.parent ?? d.address);
                return name === undefined ? d : { ...d, interface: name };
              }),
            }),
        ...(read === undefined ? {} : { options: read.options }),
        where: read === undefined ? host : `${read.files.join(', ')} on ${host}`,
      },
      ...evidence,
    );
  },
);

const topologySchema = z.looseObject({
  nodes: z.array(
    z.looseObject({
      host_node: z.number().nullish(),
      memory_mb: z.number(),
      vcpu_set: z.array(z.number()),
      cpu_pinning: z.record(z.string(), z.number()).nullish(),
    }),
  ),
  pagesize_kb: z.number().nullish(),
});

/** What the instances of a host have of its NUMA cells, as Nova counts it; undefined where that cannot be told of one of them. */
export async function placedOn(
  facts: Store,
  host: HostFacts,
  most: number,
): Promise<readonly PlacedCell[] | undefined> {
  if (host.instances === undefined || host.instances.length > most) return undefined;
  const answers = await Promise.all(
    host.instances.map((id) =>
      facts.io.cloud.get({
        service: 'compute',
        path: `/servers/${encodeURIComponent(id)}/topology`,
        microversion: '2.78',
        schema: topologySchema,
      }),
    ),
  );
  const placed: PlacedCell[] = [];
  for (const answer of answers) {
    // One that was deleted since the host was asked has nothing.
    if (!answer.ok && answer.error.kind === 'not-found') continue;
    if (!answer.ok) return undefined;
    const { nodes, pagesize_kb: pageKb } = answer.value.value;
    for (const node of nodes) {
      // Not told to an account that may not see hosts.
      if (node.host_node == null) return undefined;
      const pinned = Object.values(node.cpu_pinning ?? {});
      placed.push({
        host: node.host_node,
        memoryMb: node.memory_mb,
        vcpus: node.vcpu_set,
        pinned,
        ...(pageKb == null || pageKb <= 0 ? {} : { pageKb }),
      });
    }
  }
  return placed;
}
