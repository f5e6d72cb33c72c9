/** A way to say what would have to be otherwise. `on` request: the owner of the instance can do it; cloud: its operator. */
export type ScheduleChange =
  | {
      readonly kind: 'resource';
      readonly on: 'request';
      readonly resource: string;
      readonly asked: number;
      readonly atMost: number;
    }
  | {
      readonly kind: 'extra-spec';
      readonly on: 'request';
      readonly key: string;
      readonly value: string;
      readonly instead?: { readonly key: string; readonly value: string };
    }
  | {
      readonly kind: 'image-property';
      readonly on: 'request';
      readonly key: string;
      readonly value: string;
      readonly instead?: string;
    }
  | { readonly kind: 'zone'; readonly on: 'request'; readonly asked: string; readonly instead?: string }
  | { readonly kind: 'host'; readonly on: 'request'; readonly asked: string; readonly instead?: string }
  | { readonly kind: 'hint'; readonly on: 'request'; readonly name: string; readonly value: string }
  | {
      readonly kind: 'group';
      readonly on: 'request';
      readonly group: string;
      readonly policy: string;
      readonly instead?: string;
    }
  | { readonly kind: 'count'; readonly on: 'request'; readonly asked: number; readonly atMost: number }
  | { readonly kind: 'network'; readonly on: 'request'; readonly network: string; readonly because: string }
  | { readonly kind: 'port'; readonly on: 'request'; readonly port: string; readonly because: string }
  | { readonly kind: 'service-enabled'; readonly on: 'cloud'; readonly host: string }
  | { readonly kind: 'service-up'; readonly on: 'cloud'; readonly host: string }
  /** An empty value: the property is taken away. */
  | {
      readonly kind: 'aggregate-property';
      readonly on: 'cloud';
      readonly aggregate: string;
      readonly key: string;
      readonly value: string;
    }
  /** mirror: Nova's aggregate has the host, only Placement's copy of it has not. */
  | {
      readonly kind: 'aggregate-host';
      readonly on: 'cloud';
      readonly aggregate: string;
      readonly host: string;
      readonly mirror?: true;
    }
  | {
      readonly kind: 'trait';
      readonly on: 'cloud';
      readonly host: string;
      readonly provider: string;
      readonly trait: string;
      readonly present: boolean;
    }
  | {
      readonly kind: 'inventory';
      readonly on: 'cloud';
      readonly host: string;
      readonly provider: string;
      readonly resource: string;
      readonly field: 'reserved' | 'allocation_ratio' | 'max_unit';
      readonly from: number;
      readonly to: number;
    }
  | {
      readonly kind: 'allocation';
      readonly on: 'cloud';
      readonly consumer: string;
      readonly providers: readonly string[];
    }
  | { readonly kind: 'discover'; readonly on: 'cloud'; readonly host: string }
  | { readonly kind: 'cell'; readonly on: 'cloud'; readonly cell: string; readonly because: string }
  | { readonly kind: 'agent'; readonly on: 'cloud'; readonly host: string; readonly binary: string }
  | { readonly kind: 'mapping'; readonly on: 'cloud'; readonly host: string; readonly physicalNetwork: string }
  | { readonly kind: 'filter'; readonly on: 'cloud'; readonly filter: string; readonly because: string };

/** Changes that together give the request at least one host; none of them can be left out. */
export interface Relaxation {
  readonly changes: readonly ScheduleChange[];
  /** Hosts that it would have then. */
  readonly hosts: readonly string[];
  /** What gave them: the whole pipeline computed with the change, and whether Placement itself was asked so, too. */
  readonly proof: 'computed' | 'placement';
  /** `memory ≤ 10010 MB`, `without trait:CUSTOM_GPU`. */
  readonly words: string;
}

/**
 * What a host is rejected over; finding codes go by it. Where several things of one step do, the one that says most:
 * an amount that it lacks before the zone or the aggregate that it is not in.
 */
export type RejectedOver =
  /** An amount: of Placement, or of the filters that still count (Ram, Core, Disk, NumInstances, IoOps, NUMA). */
  | 'resource'
  /** A trait that is wanted, or one that is forbidden. */
  | 'trait'
  /** An aggregate that it has to be in or must not be in: of a tenant, of isolate_aggregates, of a required member_of. */
  | 'aggregate'
  /** nova-compute down, disabled (COMPUTE_STATUS_DISABLED too), without a provider in Placement. */
  | 'service'
  | 'zone'
  /** Extra specs that a filter compares with the host or its aggregates. */
  | 'extra-spec'
  /** Image properties, image type. */
  | 'image'
  | 'group'
  /** A host that was named, or a hint. */
  | 'host'
  | 'hint'
  | 'unmapped'
  | 'cell'
  /** No live agent that plugs, a physical network that is not mapped, a port that another host has, no address. */
  | 'network'
  | 'device'
  /** It was tried, and the build failed there. */
  | 'build'
  /** By the log alone: Nova's own filter says so, and it cannot be computed. */
  | 'log';

/** What the step came to on one host, whatever the steps before it came to. */
export type HostVerdict =
  | { readonly state: 'passes'; readonly because?: string }
  /** `wanted` is the attribute of the request, `has` the fact of the host, each with its value. */
  | {
      readonly state: 'rejects';
      readonly of: RejectedOver;
      readonly because: string;
      readonly wanted: string;
      readonly has: string;
    }
  /** Cannot be computed from outside; `tells` is what would. */
  | { readonly state: 'unknown'; readonly because: string; readonly tells: string };

export interface ScheduleColumn {
  /** `cell`, `placement`, a filter's class name (`ComputeFilter`), `network`, `build`. */
  readonly id: string;
  readonly kind: 'cell' | 'placement' | 'filter' | 'network' | 'build';
  /** As a column's head: `compute`, `az`, `image`. */
  readonly title: string;
}

/** Hosts whose verdicts are the same in every column, words included. */
export interface ScheduleRow {
  /** Sorted by name. */
  readonly hosts: readonly string[];
  /** One for each column. */
  readonly verdicts: readonly HostVerdict[];
  /** Index of the column at which Nova drops them: the first that rejects. */
  readonly stoppedAt?: number;
  /** unknown: nothing rejects them, and something could not be computed. */
  readonly fits: 'yes' | 'no' | 'unknown';
}

/** What Nova itself said of this very request. */
export interface ScheduleSaid {
  /** no-candidates: Placement gave none. filtered: a filter took the last. retries: hosts were tried, and failed. late: one was, and failed. */
  readonly kind: 'no-candidates' | 'filtered' | 'retries' | 'late' | 'not-mapped' | 'other';
  readonly host: string;
  readonly filters: readonly { readonly name: string; readonly start: number; readonly end: number }[];
  readonly line: string;
}

/** Why a request gets the hosts it gets: every host against every step of Nova's scheduling, in Nova's order. */
export interface Schedule {
  readonly asked: {
    readonly name: string;
    readonly instance?: string;
    readonly flavor: string;
    readonly vcpus: number;
    readonly ramMb: number;
    readonly diskGb: number;
    readonly image?: string;
    readonly zone?: string;
    readonly count: number;
    /** When (ISO 8601), and by whom: a name where the API tells, else an id. Absent of what nobody has asked of Nova. */
    readonly at?: string;
    readonly by?: string;
    /** The host that the instance is on and is to leave. */
    readonly movesFrom?: string;
  };
  readonly columns: readonly ScheduleColumn[];
  /** Those that come furthest first. */
  readonly rows: readonly ScheduleRow[];
  readonly hosts: number;
  readonly verdict: 'fits' | 'no-host' | 'unknown';
  /** Whence the list of filters: a configuration that was read, or the defaults of the release. */
  readonly filters: { readonly from: 'configuration' | 'defaults'; readonly where: string };
  /** The column that leaves no host. */
  readonly narrowest?: number;
  /** The smallest first; on the request before on the cloud. */
  readonly relaxations: readonly Relaxation[];
  readonly said: readonly ScheduleSaid[];
  /** Where the log and the computation do not agree, and what else is worth knowing; a sentence each. */
  readonly notes: readonly string[];
}
