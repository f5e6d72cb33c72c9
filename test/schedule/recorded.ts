import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Estate, HostFacts, Inventory, Provider } from '../../src/schedule/estate.ts';
import type { Wish, WishedGroup } from '../../src/schedule/wish.ts';

const fixtures = fileURLToPath(new URL('../fixtures/schedule/', import.meta.url));

// biome-ignore lint/suspicious/noExplicitAny: bodies of any API
type Body = any;

/** What Nova's scheduler itself said of the request. */
export interface Truth {
  /** The question to Placement, as it was asked, and the roots of its answer. */
  readonly question: string;
  readonly candidates: readonly string[];
  /** Hosts that each filter let pass, in order, up to the one that left none. */
  readonly filters: readonly { readonly name: string; readonly hosts: readonly string[] }[];
}

export interface Recorded {
  readonly name: string;
  readonly wish: Wish;
  readonly estate: Estate;
  readonly truth: Truth;
}

const read = (name: string, file: string): Body => {
  const path = `${fixtures}${name}/${file}`;
  return existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : undefined;
};

/** Cases whose request reached the scheduler, of which Nova told the hosts; the others its API refused. */
export const recordedNames: readonly string[] = readdirSync(fixtures)
  .filter(
    (name) =>
      existsSync(`${fixtures}${name}/nova-scheduler.log`) &&
      existsSync(`${fixtures}${name}/allocation-candidates.json`),
  )
  // While a cell is down Nova may answer the list of hypervisors with 500.
  .filter((name) => read(name, 'hypervisors.json').hypervisors !== undefined)
  .sort();

const enabledFilters = (): readonly string[] =>
  (/^enabled_filters = (.*)$/m.exec(readFileSync(`${fixtures}common/nova-scheduler.conf`, 'utf8'))?.[1] ?? '')
    .split(',')
    .map((word) => word.trim());

const ownFields = new Set(
  'name disk_format container_format visibility size virtual_size status checksum protected min_ram min_disk owner id created_at updated_at tags self file schema'.split(
    ' ',
  ),
);

const isStray = (consumer: string): boolean => consumer.includes('-5c4e-4d00-');

function providersOf(body: Body): Provider[] {
  return body.resource_providers.map((p: Body): Provider => {
    const inventories = Object.entries(p.inventories).map(([rc, i]: [string, Body]): [string, Inventory] => [
      rc,
      {
        total: i.total,
        reserved: i.reserved,
        allocationRatio: i.allocation_ratio,
        minUnit: i.min_unit,
        maxUnit: i.max_unit,
        stepSize: i.step_size,
        used: p.usages[rc] ?? 0,
      },
    ]);
    return {
      uuid: p.uuid,
      name: p.name,
      root: p.root_provider_uuid,
      inventories: new Map(inventories),
      traits: new Set(p.traits),
      aggregates: new Set(p.aggregates),
    };
  });
}

function hostsOf(name: string, providers: Body): HostFacts[] {
  const { services } = read(name, 'os-services.json');
  return read(name, 'hypervisors.json').hypervisors.map((h: Body): HostFacts => {
    const service = services.find((s: Body) => s.binary === 'nova-compute' && s.host === h.service.host);
    const provider = providers.resource_providers.find((p: Body) => p.name === h.hypervisor_hostname);
    return {
      host: h.service.host,
      node: h.hypervisor_hostname,
      service: {
        state: service.state,
        status: service.status,
        forcedDown: service.forced_down,
        zone: service.zone,
        ...(service.disabled_reason ? { disabledReason: service.disabled_reason } : {}),
      },
      ...(provider === undefined ? {} : { provider: provider.uuid }),
      hypervisor: {
        type: h.hypervisor_type,
        version: h.hypervisor_version,
        cpuInfo: h.cpu_info,
        vcpus: h.vcpus,
        vcpusUsed: h.vcpus_used,
        memoryMb: h.memory_mb,
        memoryMbUsed: h.memory_mb_used,
        localGb: h.local_gb,
        localGbUsed: h.local_gb_used,
        ioOps: h.current_workload,
      },
      instances: Object.keys(provider?.allocations ?? {}).filter((id) => !isStray(id)),
      cell: { state: 'mapped' },
    };
  });
}

function groupOf(name: string, hints: Body, instance: string, hosts: readonly HostFacts[]): WishedGroup | undefined {
  const id = hints.group?.[0];
  const group = read(name, 'server-groups.json')?.server_groups.find((g: Body) => g.id === id);
  if (group === undefined) return undefined;
  return {
    id: group.id,
    name: group.name,
    policy: group.policy,
    maxPerHost: group.rules?.max_server_per_host ?? 1,
    memberHosts: group.members
      .filter((m: string) => m !== instance)
      .flatMap((m: string) => hosts.filter((h) => h.instances?.includes(m)).map((h) => h.host)),
  };
}

export function recorded(name: string): Recorded {
  const providersBody = read(name, 'providers.json');
  const hosts = hostsOf(name, providersBody);
  const [server] = read(name, 'servers.json').servers;
  const request = read(name, 'request.json');
  const image = read(name, 'image.json');
  const asked = request['os:scheduler_hints'] ?? request.server['os:scheduler_hints'] ?? {};
  const hints = Object.fromEntries(Object.entries(asked).map(([k, v]) => [k, [v].flat().map(String)]));
  const { flavor } = read(name, 'flavor.json');
  const zone: string | undefined = request.server.availability_zone;
  const [az, forced] = zone?.split(':') ?? [];
  const destination: Wish['destination'] =
    forced !== undefined
      ? { kind: 'force', host: forced }
      : request.server.host !== undefined
        ? { kind: 'requested', host: request.server.host }
        : undefined;
  const group = groupOf(name, hints, server.id, hosts);
  const properties = Object.entries(image).filter(
    ([key, v]) => !ownFields.has(key) && !key.startsWith('os_h') && typeof v === 'string',
  );
  const providers = providersOf(providersBody);
  return {
    name,
    wish: {
      name: server.name,
      instance: server.id,
      project: server.tenant_id,
      count: Number(request.server.max_count ?? request.server.min_count ?? 1),
      flavor: {
        name: flavor.name,
        vcpus: flavor.vcpus,
        ramMb: flavor.ram,
        diskGb: flavor.disk,
        ephemeralGb: flavor['OS-FLV-EXT-DATA:ephemeral'],
        swapMb: Number(flavor.swap),
        extraSpecs: flavor.extra_specs,
      },
      image: {
        id: image.id,
        name: image.name,
        diskFormat: image.disk_format,
        minRamMb: image.min_ram,
        minDiskGb: image.min_disk,
        properties: Object.fromEntries(properties) as Record<string, string>,
      },
      fromVolume: false,
      ...(az === undefined || az === '' ? {} : { zone: az }),
      ...(destination === undefined ? {} : { destination }),
      hints,
      ...(group === undefined ? {} : { group }),
      ports: [],
      hidden: [],
    },
    estate: {
      hosts,
      providers,
      aggregates: read(name, 'aggregates.json').aggregates.map((a: Body) => ({
        uuid: a.uuid,
        name: a.name,
        hosts: a.hosts,
        metadata: a.metadata,
        ...(a.availability_zone ? { zone: a.availability_zone } : {}),
      })),
      scheduler: {
        from: 'configuration',
        where: '/etc/nova/nova.conf',
        enabledFilters: enabledFilters(),
        options: new Map(),
        release: 'zed',
      },
      cells: [],
      agents: new Map(),
      strays: straysOf(providersBody),
    },
    truth: truthOf(name),
  };
}

function straysOf(providers: Body): Estate['strays'] {
  const held = new Map<string, Map<string, Record<string, number>>>();
  for (const p of providers.resource_providers)
    for (const [consumer, { resources }] of Object.entries<Body>(p.allocations ?? {}))
      if (isStray(consumer)) held.set(consumer, (held.get(consumer) ?? new Map()).set(p.uuid, resources));
  return [...held].map(([consumer, of]) => ({ consumer, why: 'gone', held: of }));
}

function truthOf(name: string): Truth {
  const answers = read(name, 'allocation-candidates.json');
  const [asked] = answers;
  // For pinned CPUs Nova asks once more, for VCPU, where nobody has PCPU (nova/scheduler/manager.py): what it is given then counts.
  const { allocation_requests: requests, provider_summaries: summaries } = answers.at(-1).answer;
  const log = readFileSync(`${fixtures}${name}/nova-scheduler.log`, 'utf8');
  const [, text = ''] = /Filter results: (\[\('.*)/.exec(log) ?? [];
  const filters = [...text.matchAll(/\('(\w+)', (\[.*?\]|None)\)/g)].map((m) => ({
    name: m[1] ?? '',
    hosts: [...(m[2] ?? '').matchAll(/\('([^']+)', '[^']+'\)/g)].map((h) => h[1] ?? '').sort(),
  }));
  return {
    question: new URL(asked.path, 'http://placement').search.slice(1),
    candidates: requests
      .flatMap((r: Body) => Object.keys(r.allocations))
      .map((id: string) => summaries[id]?.root_provider_uuid ?? id),
    filters,
  };
}
