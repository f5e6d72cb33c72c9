import type { Layer } from '../../nodes/parse/frame/layer.ts';
import type { Point } from './point.ts';

/** there: from the sender; back: what it evokes. */
export type Way = 'there' | 'back';

/** What is sent over one stretch of the path. Every packet bears the mark and its number. */
export interface Probe {
  /** dhcp: a DISCOVER, whose transaction holds the mark and the packet's number. */
  readonly protocol: 'icmp' | 'tcp' | 'udp' | 'arp' | 'dhcp';
  readonly from: string;
  readonly to: string;
  readonly port?: number;
  readonly count: number;
  /** Bytes of the IP packet. */
  readonly size: number;
  /** Of connections that we open packet by packet: the sequence number of the first; the others have the next ones. */
  readonly initial?: number;
}

/** One stretch that a probe walks there and back: the points in the order in which it meets them. */
export interface Leg {
  readonly title: string;
  readonly probe: Probe;
  readonly sender: {
    readonly host: string;
    readonly netns?: string;
    /** Where it is put in at a port of the host's switch: `port 5 of br-int`. */
    readonly port?: string;
  };
  readonly points: readonly Point[];
  /** What stands behind the last point and has to answer. */
  readonly answerer: { readonly kind: 'guest' | 'gateway' | 'namespace' | 'outside'; readonly name: string };
  /** What it does and does not prove, a sentence each. */
  readonly limits?: readonly string[];
}

/** How well a point could be looked at. Only `watched` makes silence mean something; a device that is down or absent passes nothing. */
export type Watch =
  | {
      readonly kind: 'watched';
      readonly captured: number;
      /** Packets the kernel or tcpdump lost: silence then proves nothing. */
      readonly dropped: number;
    }
  | { readonly kind: 'down' | 'absent' }
  | { readonly kind: 'blind'; readonly why: string };

/** One packet of the probe, seen at one point. */
export interface Sighting {
  /** Index into `leg.points`. */
  readonly point: number;
  readonly way: Way;
  /** Number of the packet, from 1. */
  readonly sequence: number;
  /** Clock of the point's host, ns since the epoch. */
  readonly at: bigint;
  /** The whole frame, outermost layer first. */
  readonly layers: readonly Layer[];
  /** Bytes on the wire. */
  readonly length: number;
}

export interface Observation {
  readonly leg: Leg;
  /** One per point. */
  readonly watches: readonly Watch[];
  readonly sightings: readonly Sighting[];
  readonly sent: number;
  readonly answered: number;
}
