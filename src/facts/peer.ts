import type { InstanceSubject, PortSubject } from './subject.ts';

/** The other end that the operator named with `--to`. */
export type Peer =
  | {
      readonly kind: 'port';
      /** As typed. */
      readonly text: string;
      readonly name: string;
      readonly instance?: InstanceSubject;
      readonly ports: readonly PortSubject[];
      /** The address that was named: a fixed or a floating one; left out for a name or an id. */
      readonly address?: string;
    }
  /** An address that no port of this cloud has: somewhere outside. */
  | { readonly kind: 'address'; readonly text: string; readonly address: string };
