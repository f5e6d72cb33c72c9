import type { Evidence } from './evidence.ts';

/** What was pinged, by where it stands in relation to the instance. */
export type MatrixTarget =
  | 'this-instance'
  /** Another instance of the same network, on the same host. */
  | 'same-host'
  /** Another instance of the same network, on another host. */
  | 'other-host'
  /** An instance of another network of the same router. */
  | 'other-network'
  | 'router-inside'
  | 'dhcp'
  /** The external gateway. */
  | 'outside'
  | 'floating-ip'
  | 'router-outside';

export type MatrixCell =
  | {
      readonly state: 'ok' | 'partly' | 'lost';
      readonly sent: number;
      readonly received: number;
      readonly evidence: Evidence;
      /** How it answered, when not by a ping: `ARP`. */
      readonly by?: string;
    }
  | { readonly state: 'not-asked'; readonly because: string };

/** Where pings were sent from. */
export interface MatrixSource {
  readonly kind: 'qdhcp' | 'qrouter' | 'operator';
  readonly name: string;
  readonly host: string;
}

export interface MatrixRow {
  readonly kind: MatrixTarget;
  readonly name: string;
  readonly address: string;
  readonly host?: string;
  /** One per source, in their order. */
  readonly cells: readonly MatrixCell[];
}

/** Who answers whom, around an instance that does not answer. */
export interface Matrix {
  /** The port it was made for. */
  readonly title: string;
  readonly sources: readonly MatrixSource[];
  readonly rows: readonly MatrixRow[];
  /** What follows from it, in a sentence. */
  readonly reading?: string;
}
