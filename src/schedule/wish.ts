/** A request to Nova's scheduler: what an instance asks of a host (nova/objects/request_spec.py). */
export interface Wish {
  /** The instance's name, or the flavor's where nobody has booted anything yet. */
  readonly name: string;
  readonly instance?: string;
  /** Id; absent where policy hides it. */
  readonly project?: string;
  /** When it was asked for (ISO 8601), and by whom: a name where the API tells, else an id. */
  readonly made?: { readonly at?: string; readonly by?: string };
  /** It is to move from this host to the one that is named. */
  readonly movesFrom?: string;
  readonly count: number;
  readonly flavor: WishedFlavor;
  readonly image?: WishedImage;
  /** The root disk is a volume: the host gives no DISK_GB for it. */
  readonly fromVolume: boolean;
  readonly zone?: string;
  /** force: `az:host`, filters are skipped (nova/scheduler/host_manager.py). requested: `--host`, filters run. */
  readonly destination?: { readonly kind: 'force' | 'requested'; readonly host?: string; readonly node?: string };
  /** scheduler hints, each with all its values. */
  readonly hints: Readonly<Record<string, readonly string[]>>;
  readonly group?: WishedGroup;
  readonly ports: readonly WishedPort[];
  /** Nova's log tells that it asked for a PCI device (PciPassthroughFilter lets all others pass), and the API no longer does. */
  readonly deviceHidden?: true;
  /** What the API does not tell of a request that was made, so that it may be lacking here: `scheduler hints`. */
  readonly hidden: readonly string[];
}

/** Sizes as Nova has them: MiB for memory and swap, GiB for disks. */
export interface WishedFlavor {
  readonly name: string;
  readonly vcpus: number;
  readonly ramMb: number;
  readonly diskGb: number;
  readonly ephemeralGb: number;
  readonly swapMb: number;
  readonly extraSpecs: Readonly<Record<string, string>>;
}

export interface WishedImage {
  readonly id: string;
  readonly name: string;
  readonly diskFormat?: string;
  readonly minRamMb: number;
  readonly minDiskGb: number;
  /** hw_*, img_*, trait:*, architecture ...: all that Glance has beside its own fields. */
  readonly properties: Readonly<Record<string, string>>;
}

export interface WishedGroup {
  readonly id: string;
  readonly name: string;
  readonly policy: 'affinity' | 'anti-affinity' | 'soft-affinity' | 'soft-anti-affinity';
  /** rules.max_server_per_host of anti-affinity. */
  readonly maxPerHost: number;
  /** Hosts of its other members, as often as there are members. */
  readonly memberHosts: readonly string[];
}

export interface WishedPort {
  /** Of a port that exists already. */
  readonly id?: string;
  readonly network: string;
  readonly networkName: string;
  readonly vnicType: string;
  readonly segments: readonly { readonly type: string; readonly physicalNetwork?: string }[];
  /** binding:host_id of a port that another host has. */
  readonly boundTo?: string;
  /** Why Neutron would give it no address. */
  readonly withoutAddress?: string;
  /** Minimum bandwidth and the like: groups of the port's resource_request. */
  readonly resourceRequest?: Readonly<Record<string, unknown>>;
}
