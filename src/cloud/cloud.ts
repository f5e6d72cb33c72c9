import type { ZodType } from 'zod';
import type { Evidence } from '../engine/evidence.ts';
import type { FactFailure } from '../engine/failure.ts';
import type { Result } from '../engine/result.ts';

/** Service types of the catalog, by their official names (aliases such as `volumev3` are folded by the session). */
export type ServiceType =
  | 'identity'
  | 'compute'
  | 'network'
  | 'image'
  | 'placement'
  | 'block-storage'
  | 'baremetal'
  | 'load-balancer';

export type Query = Readonly<Record<string, string | readonly string[]>>;

export interface Answer<T> {
  readonly value: T;
  readonly evidence: Evidence;
  readonly ms: number;
}

/** Who we are for this cloud. Never holds a token or a password. */
export interface Identity {
  readonly user: { readonly id: string; readonly name: string; readonly domain?: string };
  readonly project?: { readonly id: string; readonly name: string; readonly domain?: string };
  readonly scope: 'project' | 'domain' | 'system' | 'unscoped' | 'none';
  readonly roles: readonly string[];
  readonly expiresAt?: string;
  readonly isAdmin: boolean;
}

export interface Endpoint {
  readonly service: ServiceType;
  readonly region?: string;
  readonly url: string;
}

/** The read-only OpenStack client. All failures are values; a missing field we need is `shape`. */
export interface Cloud {
  readonly name: string;
  readonly region?: string;
  /** Signs in once (single flight) and tells who we are. */
  identity(): Promise<Result<Answer<Identity>, FactFailure>>;
  /** The endpoints of the catalog that were chosen for this interface and region. */
  endpoints(): Promise<Result<Answer<readonly Endpoint[]>, FactFailure>>;
  /** GET one document; `schema` must be loose (unknown fields pass). `path` starts with `/`, below the endpoint's version. */
  get<T>(request: GetRequest<T>): Promise<Result<Answer<T>, FactFailure>>;
  /** GET a collection and follow its pages; `items` names the key that holds the list. */
  list<T>(request: ListRequest<T>): Promise<Result<Answer<readonly T[]>, FactFailure>>;
  /** The unversioned or version document of a service (is it there, how fast, what does it speak). */
  version(service: ServiceType): Promise<Result<Answer<ServiceVersion>, FactFailure>>;
  /** The last `lines` lines of the console of an instance (os-getConsoleOutput). */
  console(serverId: string, lines: number): Promise<Result<Answer<string>, FactFailure>>;
  /** How many HTTP requests were sent so far. */
  readonly requests: number;
  close(): Promise<void>;
}

export interface GetRequest<T> {
  readonly service: ServiceType;
  readonly path: string;
  readonly query?: Query;
  readonly schema: ZodType<T>;
  /** The highest microversion this request understands; the session sends min(this, the server's maximum). */
  readonly microversion?: string;
}

export interface ListRequest<T> extends GetRequest<T> {
  readonly items: string;
  /** Stop after so many items (default 10,000). */
  readonly limit?: number;
}

export interface ServiceVersion {
  readonly id: string;
  readonly minMicroversion?: string;
  readonly maxMicroversion?: string;
  /** OpenStack release name where the microversion tells it, e.g. `Zed`. */
  readonly release?: string;
}
