import type { Estate, HostFacts, Inventory, Provider, SchedulerSettings } from '../../src/schedule/estate.ts';
import { releaseDefaults } from '../../src/schedule/release.ts';
import type { Wish, WishedFlavor } from '../../src/schedule/wish.ts';

export const inventory = (total: number, more: Partial<Inventory> = {}): Inventory => ({
  total,
  reserved: 0,
  allocationRatio: 1,
  minUnit: 1,
  maxUnit: total,
  stepSize: 1,
  used: 0,
  ...more,
});

export interface HostOptions {
  readonly vcpus?: Partial<Inventory>;
  readonly memory?: Partial<Inventory>;
  readonly disk?: Partial<Inventory>;
  readonly traits?: readonly string[];
  readonly aggregates?: readonly string[];
  readonly facts?: Partial<HostFacts>;
}

/** A host of 8 CPUs, 16384 MB and 100 GB, and its provider. */
export function host(name: string, o: HostOptions = {}): { readonly facts: HostFacts; readonly provider: Provider } {
  return {
    facts: {
      host: name,
      node: name,
      service: { state: 'up', status: 'enabled', forcedDown: false },
      provider: `rp-${name}`,
      hypervisor: { type: 'QEMU', version: 7002000, cpuInfo: { arch: 'x86_64', features: ['sse', 'avx'] } },
      instances: [],
      cell: { state: 'mapped', name: 'cell1' },
      ...o.facts,
    },
    provider: {
      uuid: `rp-${name}`,
      name,
      root: `rp-${name}`,
      inventories: new Map([
        ['VCPU', inventory(8, { allocationRatio: 4, ...o.vcpus })],
        ['MEMORY_MB', inventory(16384, { reserved: 512, ...o.memory })],
        ['DISK_GB', inventory(100, o.disk)],
      ]),
      traits: new Set(o.traits ?? []),
      aggregates: new Set(o.aggregates ?? []),
    },
  };
}

export const scheduler = (more: Partial<SchedulerSettings> = {}): SchedulerSettings => ({
  from: 'defaults',
  where: 'zed',
  enabledFilters: releaseDefaults('zed'),
  options: new Map(),
  release: 'zed',
  ...more,
});

export const estateOf = (hosts: readonly ReturnType<typeof host>[], more: Partial<Estate> = {}): Estate => ({
  hosts: hosts.map((h) => h.facts),
  providers: hosts.map((h) => h.provider),
  aggregates: [],
  scheduler: scheduler(),
  cells: [{ uuid: 'c1', name: 'cell1', state: 'up', disabled: false }],
  agents: new Map(
    hosts.map((h) => [
      h.facts.host,
      [{ binary: 'neutron-openvswitch-agent', alive: true, physicalNetworks: ['physnet1'], tunnelTypes: ['vxlan'] }],
    ]),
  ),
  strays: [],
  ...more,
});

export const flavor = (more: Partial<WishedFlavor> = {}): WishedFlavor => ({
  name: 'm1.small',
  vcpus: 1,
  ramMb: 2048,
  diskGb: 10,
  ephemeralGb: 0,
  swapMb: 0,
  extraSpecs: {},
  ...more,
});

export const wishOf = (more: Partial<Wish> = {}): Wish => ({
  name: 'web-1',
  count: 1,
  flavor: flavor(),
  fromVolume: false,
  hints: {},
  ports: [],
  hidden: [],
  ...more,
});
