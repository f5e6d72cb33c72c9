import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

interface Amount {
  readonly total: number;
  readonly reserved?: number;
  readonly ratio?: number;
  readonly used?: number;
}

/** A compute host without nested providers. */
export interface SyntheticHost {
  readonly name: string;
  readonly provider: string;
  readonly has: Readonly<Record<'VCPU' | 'MEMORY_MB' | 'DISK_GB', Amount>>;
  readonly traits: readonly string[];
  readonly state?: 'up' | 'down';
  readonly disabled?: string;
  /** Not discovered: Nova's API has no hypervisor of it. */
  readonly unmapped?: true;
  /** Nothing of Neutron plugs ports there. */
  readonly withoutAgent?: true;
  /** Consumer → what it holds, of no instance at all. */
  readonly strays?: Readonly<Record<string, Readonly<Record<string, number>>>>;
}

export interface SyntheticCloud {
  readonly hosts: readonly SyntheticHost[];
  readonly aggregates: readonly {
    readonly uuid: string;
    readonly name: string;
    readonly hosts: readonly string[];
    readonly metadata: Readonly<Record<string, string>>;
  }[];
  readonly flavors: readonly {
    readonly name: string;
    readonly vcpus: number;
    readonly ram: number;
    readonly disk: number;
    readonly extra?: Readonly<Record<string, string>>;
  }[];
  readonly images?: readonly Readonly<Record<string, string>>[];
  readonly groups?: readonly { readonly name: string; readonly policy: string; readonly members: readonly string[] }[];
  /** Instances by id → host. */
  readonly instances?: Readonly<Record<string, string>>;
  readonly networks?: readonly { readonly name: string; readonly type: string; readonly physical?: string }[];
}

/** What every QEMU host has beside the traits of its CPU. */
export const usualTraits: readonly string[] = [
  ...['COMPUTE_NODE', 'COMPUTE_ACCELERATORS', 'COMPUTE_RESCUE_BFV', 'COMPUTE_TRUSTED_CERTS', 'COMPUTE_VOLUME_EXTEND'],
  ...['COMPUTE_IMAGE_TYPE_QCOW2', 'COMPUTE_IMAGE_TYPE_RAW', 'COMPUTE_NET_ATTACH_INTERFACE', 'COMPUTE_SECURITY_UEFI'],
  ...['HW_CPU_X86_SSE', 'HW_CPU_X86_SSE2', 'HW_CPU_X86_SSE41', 'HW_CPU_X86_SSE42', 'HW_CPU_X86_AVX', 'HW_CPU_X86_AVX2'],
];

/** (total − reserved) × allocation ratio. */
const capacity = ({ total, reserved = 0, ratio = 1 }: Amount): number => Math.floor((total - reserved) * ratio);

/** Candidates as Placement gives them (https://docs.openstack.org/api-ref/placement/#list-allocation-candidates), written for this alone. */
function candidates(cloud: SyntheticCloud, query: URLSearchParams): { status: number; body: unknown } {
  const wanted = (query.get('resources') ?? '').split(',').map((part) => part.split(':') as [string, string]);
  if (wanted.some(([resource]) => !/^(VCPU|MEMORY_MB|DISK_GB)$/.test(resource))) return { status: 400, body: {} };
  const required = [...query.getAll('required'), ...query.getAll('root_required')].flatMap((text) => text.split(','));
  const within = query.getAll('member_of').map((text) => {
    const not = text.startsWith('!');
    const ids = text.replace(/^!?(in:)?/, '').split(',');
    return { not, hosts: new Set(cloud.aggregates.filter((a) => ids.includes(a.uuid)).flatMap((a) => a.hosts)) };
  });
  const limit = Number(query.get('limit') ?? Number.POSITIVE_INFINITY);
  const found = cloud.hosts
    .filter(
      (host) =>
        wanted.every(([resource, amount]) => {
          const has = host.has[resource as 'VCPU'];
          return Number(amount) <= has.total && (has.used ?? 0) + Number(amount) <= capacity(has);
        }) &&
        required.every((trait) => host.traits.includes(trait.replace('!', '')) !== trait.startsWith('!')) &&
        within.every(({ not, hosts }) => hosts.has(host.name) !== not) &&
        (query.get('in_tree') ?? host.provider) === host.provider,
    )
    .slice(0, limit);
  const resources = Object.fromEntries(wanted.map(([resource, amount]) => [resource, Number(amount)]));
  return {
    status: 200,
    body: {
      allocation_requests: found.map((host) => ({ allocations: { [host.provider]: { resources } }, mappings: {} })),
      provider_summaries: Object.fromEntries(
        found.map((host) => [
          host.provider,
          {
            resources: Object.fromEntries(
              Object.entries(host.has).map(([name, has]) => [name, { capacity: capacity(has), used: has.used ?? 0 }]),
            ),
            traits: host.traits,
            parent_provider_uuid: null,
            root_provider_uuid: host.provider,
          },
        ]),
      ),
    },
  };
}

type Answer = { readonly status: number; readonly body: unknown };
const ok = (body: unknown): Answer => ({ status: 200, body });
const missing: Answer = { status: 404, body: { itemNotFound: { code: 404, message: 'not there' } } };

function placement(cloud: SyntheticCloud, path: string, query: URLSearchParams): Answer {
  if (path === '/')
    return ok({ versions: [{ id: 'v1.0', min_version: '1.0', max_version: '1.39', status: 'CURRENT' }] });
  if (path === '/allocation_candidates') return candidates(cloud, query);
  const listed = (host: SyntheticHost) => ({
    uuid: host.provider,
    name: host.name,
    root_provider_uuid: host.provider,
    parent_provider_uuid: null,
  });
  if (path === '/resource_providers') {
    const of = query.get('member_of');
    const members = of === null ? undefined : cloud.aggregates.find((a) => a.uuid === of)?.hosts;
    return ok({ resource_providers: cloud.hosts.filter((h) => members?.includes(h.name) ?? true).map(listed) });
  }
  const [, uuid, what] = /^\/resource_providers\/([^/]+)\/(\w+)$/.exec(path) ?? [];
  const host = cloud.hosts.find((h) => h.provider === uuid);
  if (host === undefined) return missing;
  const has = Object.entries(host.has);
  const inventory = ({ total, reserved = 0, ratio = 1 }: Amount) => ({
    ...{ total, reserved, allocation_ratio: ratio, min_unit: 1, max_unit: total, step_size: 1 },
  });
  const of = {
    inventories: Object.fromEntries(has.map(([name, amount]) => [name, inventory(amount)])),
    usages: Object.fromEntries(has.map(([name, { used = 0 }]) => [name, used])),
    traits: host.traits,
    aggregates: cloud.aggregates.filter((a) => a.hosts.includes(host.name)).map((a) => a.uuid),
    allocations: Object.fromEntries(Object.entries(host.strays ?? {}).map(([id, resources]) => [id, { resources }])),
  }[what as 'traits'];
  return of === undefined ? missing : ok({ [what ?? '']: of });
}

const cpu = {
  arch: 'x86_64',
  model: 'Skylake-Server',
  vendor: 'Intel',
  topology: { sockets: 2, cores: 16, threads: 2 },
};

function compute(cloud: SyntheticCloud, path: string): Answer {
  const service = (binary: string, host: SyntheticHost | undefined) => ({
    id: `${binary}-${host?.name ?? 'ctl'}`,
    binary,
    host: host?.name ?? 'ctl',
    zone: cloud.aggregates.find((a) => a.hosts.includes(host?.name ?? ''))?.metadata.availability_zone ?? 'nova',
    state: host?.state ?? 'up',
    status: host?.disabled === undefined ? 'enabled' : 'disabled',
    disabled_reason: host?.disabled ?? null,
    forced_down: false,
    updated_at: now.slice(0, -1),
  });
  const hypervisor = (host: SyntheticHost) => ({
    id: host.provider,
    hypervisor_hostname: host.name,
    hypervisor_type: 'QEMU',
    hypervisor_version: 7_000_000,
    service: { id: `nova-compute-${host.name}`, host: host.name, disabled_reason: host.disabled ?? null },
    cpu_info: cpu,
    servers: Object.entries(cloud.instances ?? {}).flatMap(([uuid, on]) => (on === host.name ? [{ uuid }] : [])),
    vcpus: host.has.VCPU.total,
    vcpus_used: host.has.VCPU.used ?? 0,
    memory_mb: host.has.MEMORY_MB.total,
    memory_mb_used: host.has.MEMORY_MB.used ?? 0,
    local_gb: host.has.DISK_GB.total,
    local_gb_used: host.has.DISK_GB.used ?? 0,
    current_workload: 0,
  });
  const [, one] = /^\/v2\.1\/os-hypervisors\/([^/]+)$/.exec(path) ?? [];
  const only = cloud.hosts.find((h) => h.provider === one);
  if (only !== undefined) return ok({ hypervisor: hypervisor(only) });
  const [, server] = /^\/v2\.1\/servers\/([^/]+)$/.exec(path) ?? [];
  if (server !== undefined) {
    const host = cloud.instances?.[server];
    const shown = { id: server, name: server, status: 'ACTIVE', 'OS-EXT-SRV-ATTR:host': host, addresses: {} };
    return host === undefined ? missing : ok({ server: shown });
  }
  switch (path) {
    case '/':
      return ok({ versions: [{ id: 'v2.1', version: '2.93', min_version: '2.1', status: 'CURRENT', links: [] }] });
    case '/v2.1/os-services':
      return ok({
        services: [
          service('nova-scheduler', undefined),
          service('nova-conductor', undefined),
          ...cloud.hosts.map((host) => service('nova-compute', host)),
        ],
      });
    case '/v2.1/os-aggregates':
      return ok({
        aggregates: cloud.aggregates.map((a) => ({ ...a, availability_zone: a.metadata.availability_zone ?? null })),
      });
    case '/v2.1/os-hypervisors/detail':
      return ok({ hypervisors: cloud.hosts.filter((host) => host.unmapped === undefined).map(hypervisor) });
    case '/v2.1/flavors/detail':
      return ok({
        flavors: cloud.flavors.map(({ extra = {}, ...f }) => ({
          ...{ ...f, id: f.name, swap: 0, 'OS-FLV-EXT-DATA:ephemeral': 0, extra_specs: extra },
        })),
      });
    case '/v2.1/os-server-groups':
      return ok({ server_groups: (cloud.groups ?? []).map((g) => ({ ...g, id: g.name, rules: {} })) });
    case '/v2.1/os-migrations':
      return ok({ migrations: [] });
    default:
      return missing;
  }
}

function network(cloud: SyntheticCloud, path: string, query: URLSearchParams): Answer {
  switch (path) {
    case '/':
      return ok({ versions: [{ id: 'v2.0', status: 'CURRENT', links: [] }] });
    case '/v2.0/agents':
      return ok({
        agents: cloud.hosts
          .filter((host) => host.withoutAgent === undefined)
          .map((host) => ({
            id: `agent-${host.name}`,
            binary: 'neutron-openvswitch-agent',
            agent_type: 'Open vSwitch agent',
            host: host.name,
            alive: true,
            admin_state_up: true,
            heartbeat_timestamp: now.replace('T', ' ').slice(0, 19),
            configurations: { bridge_mappings: { physnet1: 'br-ex' }, tunnel_types: ['vxlan'] },
          })),
      });
    case '/v2.0/networks':
      return ok({
        networks: (cloud.networks ?? [])
          .filter((n) => n.name === query.get('name'))
          .map((n) => ({
            id: `net-${n.name}`,
            name: n.name,
            status: 'ACTIVE',
            admin_state_up: true,
            subnets: [],
            tenant_id: 'p',
            shared: false,
            mtu: 1450,
            'provider:network_type': n.type,
            'provider:segmentation_id': 7,
            'provider:physical_network': n.physical ?? null,
          })),
      });
    default:
      return ok({ [path.split('/').at(-1) ?? '']: [] });
  }
}

const now = '2026-11-21T12:00:00Z';

function answerOf(cloud: SyntheticCloud, url: URL, base: (service: string) => string): Answer {
  const [, service = '', ...rest] = url.pathname.split('/');
  const path = `/${rest.join('/')}`;
  switch (service) {
    case 'identity': {
      const catalog = ['identity', 'compute', 'network', 'image', 'placement'].map((type) => ({
        type,
        name: type,
        id: type,
        endpoints: [{ id: type, interface: 'public', region: 'R', region_id: 'R', url: base(type) }],
      }));
      const of = { id: 'p', name: 'admin', domain: { id: 'default', name: 'Default' } };
      const token = {
        ...{ methods: ['password'], user: of, project: of, roles: [{ id: 'r', name: 'admin' }], catalog },
        ...{ expires_at: '2036-01-01T00:00:00.000000Z', issued_at: now, audit_ids: ['a'], is_domain: false },
      };
      return path.endsWith('/auth/tokens')
        ? { status: 201, body: { token } }
        : ok({ version: { id: 'v3', status: 'stable' } });
    }
    case 'compute':
      return compute(cloud, path);
    case 'placement':
      return placement(cloud, path, url.searchParams);
    case 'network':
      return network(cloud, path, url.searchParams);
    case 'image':
      return path === '/v2/images'
        ? ok({
            images: (cloud.images ?? [])
              .filter((i) => i.name === url.searchParams.get('name'))
              .map((i) => ({ ...i, id: i.name })),
          })
        : ok({ versions: [{ id: 'v2.15', status: 'CURRENT', links: [] }] });
    default:
      return missing;
  }
}

/** Serves a cloud that nobody recorded, all its APIs on one port of 127.0.0.1, to `use`. */
export async function withSynthetic<T>(
  cloud: SyntheticCloud,
  use: (env: Readonly<Record<string, string>>, asked: readonly string[]) => Promise<T>,
): Promise<T> {
  const asked: string[] = [];
  const token = randomUUID();
  let origin = '';
  const server = createServer((request, response) => {
    request.resume();
    const url = new URL(request.url ?? '/', origin);
    asked.push(`${url.pathname}${url.search}`);
    const { status, body } = answerOf(cloud, url, (service) => `${origin}/${service}`);
    response.writeHead(status, { 'content-type': 'application/json', 'x-subject-token': token });
    response.end(JSON.stringify(body));
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  try {
    const env = {
      OS_AUTH_URL: `${origin}/identity/v3`,
      OS_USERNAME: 'admin',
      OS_PASSWORD: 'not a secret',
      OS_PROJECT_NAME: 'admin',
      OS_USER_DOMAIN_NAME: 'Default',
      OS_PROJECT_DOMAIN_NAME: 'Default',
      OSTK_DOCTOR_NOW: now,
    };
    return await use(env, asked);
  } finally {
    await new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  }
}

export interface HostOptions extends Partial<Omit<SyntheticHost, 'name' | 'provider' | 'has'>> {
  readonly memory?: Partial<Amount>;
  readonly vcpu?: Partial<Amount>;
}

export const syntheticHost = (name: string, { memory, vcpu, ...rest }: HostOptions = {}): SyntheticHost => ({
  name,
  provider: `00000000-0000-4000-8000-${Buffer.from(name).toString('hex').slice(-12).padStart(12, '0')}`,
  has: {
    VCPU: { total: 64, ratio: 4, ...vcpu },
    MEMORY_MB: { total: 16_384, reserved: 512, ...memory },
    DISK_GB: { total: 1000 },
  },
  traits: usualTraits,
  ...rest,
});
