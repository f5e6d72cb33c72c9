import type { ServiceType } from '../cloud.ts';

/** Where one value of the configuration came from. */
export type Origin =
  | { readonly kind: 'default' }
  | { readonly kind: 'option'; readonly name: string }
  | { readonly kind: 'env'; readonly name: string }
  | { readonly kind: 'file'; readonly path: string; readonly line?: number };

/** `~/clouds.yaml:12`, `OS_REGION_NAME`, `--os-cloud`, `default`. */
export function describeOrigin(origin: Origin): string {
  switch (origin.kind) {
    case 'default':
      return 'default';
    case 'option':
    case 'env':
      return origin.name;
    case 'file':
      return origin.line === undefined ? origin.path : `${origin.path}:${origin.line}`;
  }
}

/** One effective value, for `config show --origin`. Secrets are masked here already. */
export interface Setting {
  readonly key: string;
  readonly value: string;
  readonly origin: Origin;
}

export type EndpointInterface = 'public' | 'internal' | 'admin';

/** Values of the auth plugin by their keystoneauth names with `_` (`username`, `project_domain_name` ...). Holds secrets. */
export type AuthValues = Readonly<Record<string, string>>;

/** One cloud in one region, ready to be signed in to. `auth` holds secrets: never serialise this object whole. */
export interface CloudConfig {
  readonly name: string;
  /** Written in clouds.yaml, or made of `OS_*` variables. */
  readonly from: 'file' | 'env';
  readonly region?: string;
  readonly interface: EndpointInterface;
  /** Interfaces that differ for one service (`compute_interface`). */
  readonly serviceInterface: Readonly<Partial<Record<ServiceType, EndpointInterface>>>;
  /** As configured: `password`, `v3applicationcredential` ... */
  readonly authType: string;
  readonly auth: AuthValues;
  /** For `v3multifactor`: the names of the methods. */
  readonly authMethods: readonly string[];
  readonly tls: { readonly verify: boolean; readonly cacert?: string; readonly cert?: string; readonly key?: string };
  readonly endpointOverride: Readonly<Partial<Record<ServiceType, string>>>;
  readonly apiVersion: Readonly<Partial<Record<ServiceType, string>>>;
  /** Longest time one request may take, in milliseconds (`api_timeout` is in seconds). */
  readonly timeoutMs: number;
  readonly settings: readonly Setting[];
  readonly warnings: readonly string[];
}

/** A mistake in the configuration, in the four lines of a user error. */
export interface ConfigProblem {
  readonly what: string;
  readonly where?: string;
  readonly why?: string;
  readonly hint: string;
}

export interface LoadOptions {
  /** `--os-cloud` */
  readonly cloud?: string;
  /** `--os-region-name` */
  readonly region?: string;
  /** `--os-interface` */
  readonly interface?: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  readonly home: string;
  /** Site-wide directories; default: XDG_CONFIG_DIRS (`/etc/xdg/openstack`) and `/etc/openstack`. */
  readonly siteDirs?: readonly string[];
  readonly platform?: NodeJS.Platform;
}
