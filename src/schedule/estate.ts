import type { SysPciDevice } from '../nodes/parse/pci.ts';

/** What the cloud has to offer, as its APIs and the scheduler's own node tell it. */
export interface Estate {
  readonly hosts: readonly HostFacts[];
  readonly providers: readonly Provider[];
  readonly aggregates: readonly Aggregate[];
  readonly scheduler: SchedulerSettings;
  readonly cells: readonly Cell[];
  /** Agents that plug ports, by host; absent where Neutron could not be asked. */
  readonly agents?: ReadonlyMap<string, readonly PluggingAgent[]>;
  /** What compute nodes show of themselves by SSH, by host: looked at where a verdict hangs on it. */
  readonly nodes?: ReadonlyMap<string, ComputeNode>;
  /** Where there are too many hosts to look for strays on each: on how many it was, those that come closest. */
  readonly strayLook?: { readonly looked: number; readonly hosts: number };
  /** Consumers in Placement that are neither an instance nor a migration, or of an instance that is on another host. */
  readonly strays: readonly StrayAllocation[];
  /** What else could not be looked at, and what is known instead; a sentence each. */
  readonly unseen?: readonly string[];
}

/** A nova-compute: one of its nodes (ironic has many, hypervisors one). */
export interface HostFacts {
  /** As services and aggregates name it. */
  readonly host: string;
  /** hypervisor_hostname: the provider's name. */
  readonly node: string;
  readonly service: {
    readonly state: 'up' | 'down' | 'unknown';
    readonly status: 'enabled' | 'disabled';
    readonly disabledReason?: string;
    readonly forcedDown: boolean;
    /** ISO 8601, as Nova says. */
    readonly updatedAt?: string;
    readonly zone?: string;
  };
  /** Root provider of its tree in Placement; absent where it has none. */
  readonly provider?: string;
  readonly hypervisor: {
    readonly type?: string;
    readonly version?: number;
    readonly cpuInfo?: Readonly<Record<string, unknown>>;
    readonly vcpus?: number;
    readonly vcpusUsed?: number;
    readonly memoryMb?: number;
    readonly memoryMbUsed?: number;
    readonly localGb?: number;
    readonly localGbUsed?: number;
    /** current_workload: builds, resizes and the like that are under way. */
    readonly ioOps?: number;
  };
  /** Ids of its instances; absent where they were not asked for. */
  readonly instances?: readonly string[];
  /** Its cell, where the controller or the API tells; `unmapped` where Nova has not discovered it. */
  readonly cell:
    | { readonly state: 'mapped'; readonly name?: string }
    | { readonly state: 'unmapped' }
    | { readonly state: 'down' }
    | { readonly state: 'unknown' };
}

/** A compute node's own hardware, and how its nova-compute is told to use it. */
export interface ComputeNode {
  /** `virsh capabilities`; absent where it could not be read. */
  readonly cells?: readonly NumaCell[];
  /** /sys/bus/pci/devices; absent where it could not be read. */
  readonly devices?: readonly SysPciDevice[];
  /** nova.conf as nova-compute reads it, by `section.name`; the lines of an option that may come more than once under each other. */
  readonly options?: ReadonlyMap<string, string>;
  /** Files and host. */
  readonly where: string;
  /** What its instances have of its NUMA cells; absent where it was not asked for. */
  readonly placed?: readonly PlacedCell[];
}

export interface NumaCell {
  readonly id: number;
  readonly memoryMb: number;
  /** Each with those it shares a core with, itself among them. */
  readonly cpus: readonly { readonly id: number; readonly siblings: readonly number[] }[];
  readonly pages: readonly { readonly sizeKb: number; readonly total: number }[];
}

/** A cell of an instance's NUMA topology, on a cell of its host (GET /servers/ID/topology, 2.78). */
export interface PlacedCell {
  readonly host: number;
  readonly memoryMb: number;
  readonly vcpus: readonly number[];
  /** The host's CPUs that it is pinned to. */
  readonly pinned: readonly number[];
  readonly pageKb?: number;
}

export interface Inventory {
  readonly total: number;
  readonly reserved: number;
  readonly allocationRatio: number;
  readonly minUnit: number;
  readonly maxUnit: number;
  readonly stepSize: number;
  readonly used: number;
}

/** A resource provider (https://docs.openstack.org/api-ref/placement/). */
export interface Provider {
  readonly uuid: string;
  readonly name: string;
  readonly root: string;
  readonly parent?: string;
  readonly inventories: ReadonlyMap<string, Inventory>;
  readonly traits: ReadonlySet<string>;
  /** Ids of Placement's aggregates. */
  readonly aggregates: ReadonlySet<string>;
}

/** A host aggregate of Nova. */
export interface Aggregate {
  readonly uuid: string;
  readonly name: string;
  readonly zone?: string;
  readonly hosts: readonly string[];
  readonly metadata: Readonly<Record<string, string>>;
}

/** nova.conf as nova-scheduler reads it, with the release's defaults where it says nothing. */
export interface SchedulerSettings {
  readonly from: 'configuration' | 'defaults';
  /** File and host, or the release. */
  readonly where: string;
  readonly enabledFilters: readonly string[];
  /** Options by `section.name`, only those that were set. */
  readonly options: ReadonlyMap<string, string>;
  /** Nova's release, `zed`, where the microversion tells it. */
  readonly release?: string;
}

export interface Cell {
  readonly uuid: string;
  readonly name: string;
  readonly state: 'up' | 'down' | 'unknown';
  readonly disabled: boolean;
  readonly because?: string;
}

export interface PluggingAgent {
  readonly binary: string;
  readonly alive: boolean;
  /** Physical networks it maps. */
  readonly physicalNetworks: readonly string[];
  readonly tunnelTypes: readonly string[];
}

export interface StrayAllocation {
  readonly consumer: string;
  /** gone: no such instance or migration. elsewhere: the instance is on another host. */
  readonly why: 'gone' | 'elsewhere';
  /** Provider's uuid → resource class → amount. */
  readonly held: ReadonlyMap<string, Readonly<Record<string, number>>>;
}
