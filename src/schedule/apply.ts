import type { ScheduleChange } from '../engine/schedule.ts';
import type { Aggregate, Estate, HostFacts, PluggingAgent, Provider } from './estate.ts';
import type { Wish, WishedFlavor } from './wish.ts';

/** A request and a cloud. */
export interface Case {
  readonly wish: Wish;
  readonly estate: Estate;
}

/** The request and the cloud as they would be with the changes made. */
export function applied(changes: readonly ScheduleChange[], wish: Wish, estate: Estate): Case {
  return changes.reduce<Case>(
    (now, change) =>
      change.on === 'request'
        ? { wish: asked(change, now.wish), estate: now.estate }
        : { wish: now.wish, estate: mended(change, now.estate) },
    { wish, estate },
  );
}

type OnRequest = Extract<ScheduleChange, { on: 'request' }>;
type OnCloud = Extract<ScheduleChange, { on: 'cloud' }>;

function without<T>(record: Readonly<Record<string, T>>, key: string): Readonly<Record<string, T>> {
  const { [key]: _, ...rest } = record;
  return rest;
}

function asked(change: OnRequest, wish: Wish): Wish {
  switch (change.kind) {
    case 'resource':
      return { ...wish, flavor: smaller(wish, change.resource, change.atMost) };
    case 'extra-spec': {
      const { instead } = change;
      const rest = without(wish.flavor.extraSpecs, change.key);
      const extraSpecs = instead === undefined ? rest : { ...rest, [instead.key]: instead.value };
      return { ...wish, flavor: { ...wish.flavor, extraSpecs } };
    }
    case 'image-property': {
      if (wish.image === undefined) return wish;
      if (change.key === 'disk_format') {
        const { diskFormat: _, ...image } = wish.image;
        return { ...wish, image: change.instead === undefined ? image : { ...image, diskFormat: change.instead } };
      }
      const rest = without(wish.image.properties, change.key);
      const properties = change.instead === undefined ? rest : { ...rest, [change.key]: change.instead };
      return { ...wish, image: { ...wish.image, properties } };
    }
    case 'zone': {
      const { zone: _, ...rest } = wish;
      return change.instead === undefined ? rest : { ...rest, zone: change.instead };
    }
    case 'host': {
      const { destination, ...rest } = wish;
      return change.instead === undefined || destination === undefined
        ? rest
        : { ...rest, destination: { kind: destination.kind, host: change.instead } };
    }
    case 'hint':
      return { ...wish, hints: without(wish.hints, change.name) };
    case 'group': {
      const { group, ...rest } = wish;
      const policy = (['affinity', 'anti-affinity', 'soft-affinity', 'soft-anti-affinity'] as const).find(
        (p) => p === change.instead,
      );
      return group === undefined || policy === undefined ? rest : { ...rest, group: { ...group, policy } };
    }
    case 'count':
      return { ...wish, count: change.atMost };
    case 'network':
      return { ...wish, ports: wish.ports.filter((p) => p.networkName !== change.network) };
    case 'port':
      return { ...wish, ports: wish.ports.filter((p) => (p.id ?? p.networkName) !== change.port) };
  }
}

/** A flavor with less of one class; of disk, the root disk gives way first, then the ephemeral one, then swap. */
function smaller({ flavor, fromVolume }: Wish, resource: string, atMost: number): WishedFlavor {
  if (resource === 'VCPU') return { ...flavor, vcpus: Math.min(flavor.vcpus, atMost) };
  if (resource === 'MEMORY_MB') return { ...flavor, ramMb: Math.min(flavor.ramMb, atMost) };
  if (resource !== 'DISK_GB') return flavor;
  const swapGb = Math.min(Math.ceil(flavor.swapMb / 1024), atMost);
  const ephemeralGb = Math.min(flavor.ephemeralGb, atMost - swapGb);
  const diskGb = fromVolume ? flavor.diskGb : Math.min(flavor.diskGb, atMost - swapGb - ephemeralGb);
  return { ...flavor, diskGb, ephemeralGb, swapMb: Math.min(flavor.swapMb, swapGb * 1024) };
}

const hostsWith = (
  estate: Estate,
  which: (host: HostFacts) => boolean,
  as: (host: HostFacts) => HostFacts,
): Estate => ({
  ...estate,
  hosts: estate.hosts.map((host) => (which(host) ? as(host) : host)),
});

const providersWith = (estate: Estate, uuid: string, as: (provider: Provider) => Provider): Estate => ({
  ...estate,
  providers: estate.providers.map((p) => (p.uuid === uuid ? as(p) : p)),
});

const aggregatesWith = (estate: Estate, name: string, as: (aggregate: Aggregate) => Aggregate): Estate => ({
  ...estate,
  aggregates: estate.aggregates.map((a) => (a.name === name ? as(a) : a)),
});

const withTrait = (provider: Provider, trait: string, isPresent: boolean): Provider => {
  const traits = new Set(provider.traits);
  if (isPresent) traits.add(trait);
  else traits.delete(trait);
  return { ...provider, traits };
};

function mended(change: OnCloud, estate: Estate): Estate {
  switch (change.kind) {
    case 'service-enabled': {
      const roots = new Set(estate.hosts.flatMap((h) => (h.host === change.host ? (h.provider ?? []) : [])));
      const enabled = hostsWith(
        estate,
        (h) => h.host === change.host,
        (h) => {
          const { disabledReason: _, ...service } = h.service;
          return { ...h, service: { ...service, status: 'enabled' } };
        },
      );
      return {
        ...enabled,
        providers: estate.providers.map((p) =>
          roots.has(p.uuid) ? withTrait(p, 'COMPUTE_STATUS_DISABLED', false) : p,
        ),
      };
    }
    case 'service-up':
      return hostsWith(
        estate,
        (h) => h.host === change.host,
        (h) => ({ ...h, service: { ...h.service, state: 'up', forcedDown: false } }),
      );
    case 'aggregate-property':
      return aggregatesWith(estate, change.aggregate, (a) => ({
        ...a,
        metadata: change.value === '' ? without(a.metadata, change.key) : { ...a.metadata, [change.key]: change.value },
      }));
    case 'aggregate-host':
      return joined(estate, change.aggregate, change.host);
    case 'trait':
      return providersWith(estate, change.provider, (p) => withTrait(p, change.trait, change.present));
    case 'inventory':
      return providersWith(estate, change.provider, (p) => {
        const inventory = p.inventories.get(change.resource);
        if (inventory === undefined) return p;
        const field = ({ reserved: 'reserved', allocation_ratio: 'allocationRatio', max_unit: 'maxUnit' } as const)[
          change.field
        ];
        return { ...p, inventories: new Map(p.inventories).set(change.resource, { ...inventory, [field]: change.to }) };
      });
    case 'allocation':
      return freed(estate, change.consumer);
    case 'discover':
      return hostsWith(
        estate,
        (h) => h.host === change.host,
        (h) => ({ ...h, cell: { state: 'mapped' } }),
      );
    case 'cell': {
      const isIt = (name: string | undefined): boolean => change.cell === '' || name === change.cell;
      return hostsWith(
        { ...estate, cells: estate.cells.map((c) => (isIt(c.name) ? { ...c, state: 'up', disabled: false } : c)) },
        (h) => h.cell.state === 'down',
        (h) => ({ ...h, cell: { state: 'mapped' } }),
      );
    }
    case 'agent':
      return withAgents(estate, change.host, (agents) => {
        const usual = [...(estate.agents?.values() ?? [])].flat().find((a) => a.binary === change.binary && a.alive);
        return agents.some((a) => a.binary === change.binary)
          ? agents.map((a) => (a.binary === change.binary ? { ...a, alive: true } : a))
          : usual === undefined
            ? agents
            : [...agents, usual];
      });
    case 'mapping':
      return withAgents(estate, change.host, (agents) =>
        agents.map((a) => (a.alive ? { ...a, physicalNetworks: [...a.physicalNetworks, change.physicalNetwork] } : a)),
      );
    case 'filter':
      return {
        ...estate,
        scheduler: {
          ...estate.scheduler,
          enabledFilters: estate.scheduler.enabledFilters.filter((name) => name.split('.').at(-1) !== change.filter),
        },
      };
  }
}

/** A host in an aggregate, of Nova and of Placement. */
function joined(estate: Estate, aggregate: string, host: string): Estate {
  const uuids = estate.aggregates.filter((a) => a.name === aggregate).map((a) => a.uuid);
  const roots = new Set(estate.hosts.flatMap((h) => (h.host === host ? (h.provider ?? []) : [])));
  return {
    ...aggregatesWith(estate, aggregate, (a) => (a.hosts.includes(host) ? a : { ...a, hosts: [...a.hosts, host] })),
    providers: estate.providers.map((p) =>
      roots.has(p.uuid) ? { ...p, aggregates: new Set([...p.aggregates, ...uuids]) } : p,
    ),
  };
}

/** Without what one consumer holds. */
function freed(estate: Estate, consumer: string): Estate {
  const [stray] = estate.strays.filter((s) => s.consumer === consumer);
  if (stray === undefined) return estate;
  return {
    ...estate,
    strays: estate.strays.filter((s) => s !== stray),
    providers: estate.providers.map((p) => {
      const held = stray.held.get(p.uuid);
      if (held === undefined) return p;
      const inventories = new Map(
        [...p.inventories].map(([rc, i]) => [rc, { ...i, used: Math.max(0, i.used - (held[rc] ?? 0)) }] as const),
      );
      return { ...p, inventories };
    }),
  };
}

const withAgents = (
  estate: Estate,
  host: string,
  as: (agents: readonly PluggingAgent[]) => readonly PluggingAgent[],
): Estate =>
  estate.agents === undefined
    ? estate
    : { ...estate, agents: new Map(estate.agents).set(host, as(estate.agents.get(host) ?? [])) };
