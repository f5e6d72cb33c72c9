/** One place a packet passes. `device` and `namespace` are what an operator would look at on `host`. */
export interface Hop {
  readonly kind: 'guest' | 'tap' | 'bridge' | 'tunnel' | 'physnet' | 'namespace' | 'router' | 'external' | 'floating';
  readonly label: string;
  readonly host?: string;
  readonly device?: string;
  readonly join: 'start' | 'local' | 'underlay';
}

/** From the instance to somewhere: hops in the order in which a packet leaves. */
export interface Path {
  readonly title: string;
  readonly hops: readonly Hop[];
}
