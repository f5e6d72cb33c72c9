import { z } from 'zod';
import type { Cell, HostFacts, PluggingAgent, Provider } from '../../schedule/estate.ts';
import type { ComputeService } from '../schemas/compute.ts';
import type { Agent } from '../schemas/network.ts';
import type { CellMappings } from './cells.ts';

const known = <K extends string, V>(key: K, value: V | null | undefined): { readonly [P in K]?: V } =>
  value === null || value === undefined ? {} : ({ [key]: value } as { readonly [P in K]: V });

/** GET /os-hypervisors/detail at 2.87, the last that tells sizes and CPU (2.88 leaves them to Placement). Ironic's nodes have none. */
const hypervisorSchema = z.object({
  id: z.union([z.string(), z.number()]),
  hypervisor_hostname: z.string(),
  hypervisor_type: z.string().nullish(),
  hypervisor_version: z.number().nullish(),
  service: z.object({ host: z.string() }),
  vcpus: z.number().nullish(),
  vcpus_used: z.number().nullish(),
  memory_mb: z.number().nullish(),
  memory_mb_used: z.number().nullish(),
  local_gb: z.number().nullish(),
  local_gb_used: z.number().nullish(),
  current_workload: z.number().nullish(),
  servers: z.array(z.object({ uuid: z.string() })).optional(),
});

/** An object since 2.28, its JSON as text before; one object for all hosts of one CPU. */
function cpuReader(): (info: unknown) => Readonly<Record<string, unknown>> | undefined {
  const met = new Map<string, Readonly<Record<string, unknown>>>();
  return (info) => {
    const text = typeof info === 'string' ? info : JSON.stringify(info ?? null);
    const same = met.get(text);
    if (same !== undefined) return same;
    let parsed: unknown;
    try {
      parsed = JSON.parse(text);
    } catch {
      return undefined;
    }
    const object = z.record(z.string(), z.unknown()).safeParse(parsed);
    if (object.success) met.set(text, object.data);
    return object.success ? object.data : undefined;
  };
}

/** For one list: a page is parsed, and its descriptions of one and the same CPU are dropped, before the next is asked for. */
export const hypervisors = () => hypervisorSchema.extend({ cpu_info: z.unknown().transform(cpuReader()) });
export type Hypervisor = z.infer<ReturnType<typeof hypervisors>>;

/** What Nova shows of a service in a cell that does not answer (2.69). */
const inDownCell = (s: ComputeService): boolean => s.status === 'UNKNOWN';

function serviceFacts(s: ComputeService | undefined): HostFacts['service'] {
  return {
    state: s?.state === 'up' || s?.state === 'down' ? s.state : 'unknown',
    status: s?.status === 'disabled' ? 'disabled' : 'enabled',
    ...known('disabledReason', s?.disabled_reason),
    forcedDown: s?.forced_down === true,
    ...known('updatedAt', s?.updated_at),
    ...known('zone', s?.zone),
  };
}

/** Cells, each up where Nova tells of any of its hosts. Without a list of services nothing is known of them. */
export function cellsOf(mappings: CellMappings, services: readonly ComputeService[] | undefined): readonly Cell[] {
  const computes = (services ?? []).filter((s) => s.binary === 'nova-compute');
  const listed = new Map(computes.map((s) => [s.host, s]));
  return mappings.cells.map(({ uuid, name, disabled }): Cell => {
    if (services === undefined) return { uuid, name, state: 'unknown', disabled };
    if (mappings.hosts === undefined) return { uuid, name, state: 'up', disabled };
    const hosts = [...mappings.hosts].filter(([, cell]) => cell === uuid).map(([host]) => host);
    const answers = hosts.flatMap((host) => listed.get(host) ?? []).some((s) => !inDownCell(s));
    if (answers) return { uuid, name, state: 'up', disabled };
    if (hosts.length === 0) return { uuid, name, state: 'unknown', disabled };
    const because = hosts.some((host) => listed.has(host))
      ? `Nova gives the status of its services as UNKNOWN (${hosts.slice(0, 3).join(', ')})`
      : `Nova lists none of its services (${hosts.slice(0, 3).join(', ')})`;
    return { uuid, name, state: 'down', disabled, because };
  });
}

/**
 * Every nova-compute and each of its nodes. One that Nova lists as a service and not as a hypervisor has not been discovered: it has its
 * compute node and its provider, and no mapping to a cell (nova/api/openstack/compute/hypervisors.py passes over HostMappingNotFound).
 * @param services undefined: Nova did not list them
 * @param options.whole all hypervisors that Nova knows are among the nodes
 * @param options.withInstances instances were asked for: before 2.75 a hypervisor without any has no list of them
 */
export function hostsOf(
  services: readonly ComputeService[] | undefined,
  nodes: readonly Hypervisor[],
  providers: readonly Provider[],
  mappings: CellMappings | undefined,
  { whole, withInstances }: { readonly whole: boolean; readonly withInstances: boolean },
): readonly HostFacts[] {
  const computes = (services ?? []).filter((s) => s.binary === 'nova-compute');
  const byHost = new Map(computes.map((s) => [s.host, s]));
  const byId = new Map(providers.map((p) => [p.uuid, p]));
  const byName = new Map(providers.filter((p) => p.parent === undefined).map((p) => [p.name, p]));
  const cells = new Map((mappings === undefined ? [] : cellsOf(mappings, services)).map((c) => [c.uuid, c]));

  const cellOf = (host: string, seen: boolean, provider: Provider | undefined): HostFacts['cell'] => {
    const service = byHost.get(host);
    if (service !== undefined && inDownCell(service)) return { state: 'down' };
    if (mappings?.hosts !== undefined) {
      const cell = cells.get(mappings.hosts.get(host) ?? '');
      if (cell === undefined) return mappings.hosts.has(host) ? { state: 'mapped' } : { state: 'unmapped' };
      return cell.state === 'down' ? { state: 'down' } : { state: 'mapped', name: cell.name };
    }
    const [only, ...more] = mappings?.cells ?? [];
    if (seen) return { state: 'mapped', ...(more.length === 0 ? known('name', only?.name) : {}) };
    return whole && provider !== undefined ? { state: 'unmapped' } : { state: 'unknown' };
  };

  const found = nodes.map((h): HostFacts => {
    const { host } = h.service;
    const provider = byId.get(String(h.id)) ?? byName.get(h.hypervisor_hostname);
    return {
      host,
      node: h.hypervisor_hostname,
      service: serviceFacts(byHost.get(host)),
      ...known('provider', provider?.root),
      hypervisor: {
        ...known('type', h.hypervisor_type),
        ...known('version', h.hypervisor_version),
        ...known('cpuInfo', h.cpu_info),
        ...known('vcpus', h.vcpus),
        ...known('vcpusUsed', h.vcpus_used),
        ...known('memoryMb', h.memory_mb),
        ...known('memoryMbUsed', h.memory_mb_used),
        ...known('localGb', h.local_gb),
        ...known('localGbUsed', h.local_gb_used),
        ...known('ioOps', h.current_workload),
      },
      ...known('instances', withInstances ? (h.servers ?? []).map((s) => s.uuid) : undefined),
      cell: cellOf(host, true, provider),
    };
  });
  const seen = new Set(found.map((h) => h.host));
  const short = new Map([...byName].map(([name, p]) => [name.split('.')[0] ?? name, p]));
  const others = new Set([...byHost.keys(), ...(mappings?.hosts?.keys() ?? [])].filter((host) => !seen.has(host)));
  for (const host of others) {
    const provider = byName.get(host) ?? short.get(host);
    found.push({
      host,
      node: provider?.name ?? host,
      service: serviceFacts(byHost.get(host)),
      ...known('provider', provider?.root),
      hypervisor: {},
      cell: cellOf(host, false, provider),
    });
  }
  found.sort((a, b) => (a.host < b.host ? -1 : a.host > b.host ? 1 : a.node < b.node ? -1 : 1));
  return found;
}

/** Names of an object's keys, or those of OVN's text `physnet1:br-ex,physnet2:br-eno2`. */
function physicalNetworks(mapping: unknown): readonly string[] {
  if (typeof mapping === 'string') return mapping.split(',').flatMap((pair) => pair.split(':')[0]?.trim() || []);
  return typeof mapping === 'object' && mapping !== null ? Object.keys(mapping) : [];
}

const agentConfiguration = z.looseObject({
  tunnel_types: z.array(z.string()).nullish(),
});

/** Agents that plug ports (all but L3, DHCP and metadata), by host. SR-IOV maps `device_mappings`, OVN `bridge-mappings`. */
export function pluggingAgents(agents: readonly Agent[]): ReadonlyMap<string, readonly PluggingAgent[]> {
  const byHost = new Map<string, PluggingAgent[]>();
  for (const agent of agents) {
    if (/-(l3|dhcp|metadata|ovn-metadata|metering)-agent$/.test(agent.binary)) continue;
    const configuration: Readonly<Record<string, unknown>> = agent.configurations ?? {};
    const tunnels = agentConfiguration.safeParse(configuration);
    const maps = ['bridge_mappings', 'interface_mappings', 'device_mappings', 'bridge-mappings'];
    const plugging: PluggingAgent = {
      binary: agent.binary,
      alive: agent.alive,
      physicalNetworks: [...new Set(maps.flatMap((key) => physicalNetworks(configuration[key])))].sort(),
      tunnelTypes: tunnels.success ? (tunnels.data.tunnel_types ?? []) : [],
    };
    const there = byHost.get(agent.host);
    if (there === undefined) byHost.set(agent.host, [plugging]);
    else there.push(plugging);
  }
  return byHost;
}
