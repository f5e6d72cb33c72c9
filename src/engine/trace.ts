/** Towards the answerer, or what comes back from it. */
export type TraceWay = 'there' | 'back';

/** What was seen of the probe at one place, on one way. */
export interface TraceCount {
  /** Different packets seen. */
  readonly seen: number;
  /** How many could have been: there those that were sent, back those that were answered. */
  readonly of: number;
  /** Packets that were seen later on the way and not here: they did pass. */
  readonly overlooked: number;
  /** Median time from the place before at which the same packets were seen; absent where clocks cannot be compared. */
  readonly transitUs?: number;
  /** Of the first and the last packet here, since the first one anywhere; absent where clocks cannot be compared. */
  readonly firstUs?: number;
  readonly lastUs?: number;
  /** Address resolution for this way, not of the probe itself: questions and answers seen. */
  readonly asked: number;
  readonly told: number;
}

/** A device where packets were looked for. */
export interface TracePoint {
  readonly host: string;
  readonly netns?: string;
  readonly device: string;
  /** How packets are dressed here: `vxlan 1021`, `vlan 101`. */
  readonly wears?: string;
  /** The probe comes by on one way only: it is put in behind this place, or its answer goes elsewhere than it came from. */
  readonly only?: TraceWay;
  readonly watch: 'watched' | 'down' | 'absent' | 'blind';
  /** Why nothing could be seen here. */
  readonly because?: string;
  /** Packets that the capture itself lost: silence here proves nothing. */
  readonly dropped: number;
  readonly there: TraceCount;
  readonly back: TraceCount;
}

/** Where a packet is, or is not. `point` is an index into `points`. */
export type TracePlace =
  | { readonly at: 'sender' }
  | { readonly at: 'point'; readonly point: number; readonly way: TraceWay }
  | { readonly at: 'answerer' };

/** Between which two places packets are lost. */
export interface TraceLoss {
  /**
   * `edge`: between two places of the path. `answerer`: they came to the end and nothing came back. `turn`: one of the
   * two, for the places around the answerer could not be looked at.
   */
  readonly kind: 'edge' | 'answerer' | 'turn';
  /** On which they were last seen. */
  readonly way: TraceWay;
  /** `probe`, or where its path was never asked for because of it: address resolution. */
  readonly packet: 'probe' | 'who-has' | 'is-at';
  /** The last place at which they surely were, and the next at which they surely were not. */
  readonly after: TracePlace;
  readonly before: TracePlace;
  readonly lost: number;
  readonly of: number;
  /** Points between the two that could not be looked at. */
  readonly blind: readonly number[];
  /** Points whose captures lost packets, so that their silence was not counted. */
  readonly uncertain: readonly number[];
  /** Somebody answered for the answerer that it will not have them. */
  readonly refused?: { readonly by: string; readonly says: string; readonly mtu?: number };
}

/** What was different about the same packet at the next place it was seen. */
export interface TraceChange {
  readonly way: TraceWay;
  /** Points, in the order in which the packet met them. */
  readonly after: number;
  readonly before: number;
  readonly what:
    | 'source'
    | 'destination'
    | 'source-port'
    | 'destination-port'
    | 'icmp-id'
    | 'ttl'
    | 'source-mac'
    | 'destination-mac'
    | 'tag'
    | 'vni'
    | 'size'
    | 'df';
  readonly from: string;
  readonly to: string;
}

/** Packets that were dressed otherwise than they should be at this point. */
export interface TraceMisfit {
  readonly point: number;
  readonly way: TraceWay;
  readonly what: 'tunnel' | 'vni' | 'endpoints' | 'tag';
  readonly expected: string;
  readonly seen: string;
}

/** What should happen to the probe at a point, by the configuration alone. */
export interface TraceExpectation {
  readonly point: number;
  /** `there` unless it says otherwise. */
  readonly way?: TraceWay;
  readonly verdict: 'passes' | 'dropped' | 'unknown';
  readonly because: string;
}

/** What a DHCP server answered to the probe. */
export interface TraceOffer {
  readonly server: string;
  /** MAC address of the frame that it came in. */
  readonly serverMac?: string;
  /** Absent where it refuses (`nak`). */
  readonly address?: string;
  readonly netmask?: string;
  readonly router?: string;
  readonly nameServers: readonly string[];
  readonly mtu?: number;
  readonly leaseSeconds?: number;
  /** Classless routes: `169.254.169.254/32 via 10.0.0.1`. */
  readonly routes: readonly string[];
  /** Of all that were sent, how many it answered so. */
  readonly answers: number;
  /** The first point at which it was seen. */
  readonly point: number;
}

/** One probe followed through every place it was looked for. Times in microseconds. */
export interface Trace {
  readonly title: string;
  readonly probe: {
    readonly protocol: 'icmp' | 'tcp' | 'udp' | 'arp' | 'dhcp';
    readonly from: string;
    readonly to: string;
    readonly port?: number;
    /** Bytes of the IP packet. */
    readonly size: number;
  };
  readonly sender: {
    readonly host: string;
    readonly netns?: string;
    /** Where it was put in at a port of the host's switch: `port 5 of br-int`. */
    readonly port?: string;
  };
  readonly answerer: { readonly kind: 'guest' | 'gateway' | 'namespace' | 'outside'; readonly name: string };
  readonly sent: number;
  /** As the sender counted. */
  readonly answered: number;
  /** In the order in which the probe meets them. */
  readonly points: readonly TracePoint[];
  readonly expected?: readonly TraceExpectation[];
  /** The place at which most are lost. */
  readonly stop?: TraceLoss;
  /** All places at which packets are lost, in the order of the path. */
  readonly losses: readonly TraceLoss[];
  readonly changes: readonly TraceChange[];
  readonly misfits: readonly TraceMisfit[];
  /** Every answer was a refusal by the answerer itself: it is there, and nobody listens. */
  readonly refuses?: true;
  /** Of a DHCP probe: every server's answer, those of servers that were not meant too. */
  readonly offers?: readonly TraceOffer[];
  /** Answers come, and the points behind `after` saw nothing of it: somebody answers in the answerer's place. */
  readonly early?: { readonly after: number; readonly silent: readonly number[] };
  /** The host whose clock times are told by: the sender's, or the first one that saw anything. */
  readonly clock: string;
  /** By how much the other hosts' clocks are ahead of it, as far as the packets told. */
  readonly clocks: readonly { readonly host: string; readonly aheadUs: number }[];
  /** Medians: at the point nearest to the sender, and at the one nearest to the answerer. */
  readonly roundTripUs?: number;
  readonly turnaroundUs?: number;
  /** What came of it, in a sentence. */
  readonly reading: string;
  /** What else is worth knowing, a sentence each. */
  readonly notes: readonly string[];
}
