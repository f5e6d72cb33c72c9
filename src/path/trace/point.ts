import type { Hop } from '../hop.ts';

/** What a packet wears where it is looked at. */
export type Wearing =
  | { readonly kind: 'plain' }
  /** An 802.1Q tag, where the switch puts it on. */
  | { readonly kind: 'vlan'; readonly id: number }
  /** Outer headers between two tunnel endpoints. */
  | {
      readonly kind: 'tunnel';
      readonly by: 'vxlan' | 'gre' | 'geneve';
      readonly vni: number | undefined;
      /** Of what comes back, where the two ways are carried as different networks: OVN tunnels some of them as the router's. */
      readonly vniBack?: number;
      readonly endpoints: readonly [string, string];
      /** UDP port of VXLAN or Geneve where the node says it is another than the usual one. */
      readonly udpPort?: number;
    };

/** A device at which the packets of a trace can be seen: in a namespace, on a bridge, in the underlay. */
export interface Point {
  readonly host: string;
  readonly netns?: string;
  readonly device: string;
  readonly kind: Hop['kind'];
  readonly wears: Wearing;
  /** The probe passes here on one way only: it is put in behind this place, or its answer goes elsewhere than it came from. */
  readonly only?: 'there' | 'back';
}

/** Whether the probe should come by on this way. */
export const passes = (point: Point | undefined, way: 'there' | 'back'): boolean =>
  point?.only === undefined || point.only === way;

/** `net1 qrouter-8df7244d… qr-1f2a…`, as an operator would look for it. */
export const nameOfPoint = (point: Point): string =>
  [point.host, ...(point.netns === undefined ? [] : [point.netns]), point.device].join(' ');
