import type { Family } from '../addresses.ts';

/** yes: surely. no: surely not. unknown: what we know of the packet or of the rule does not decide. */
export type Answer = 'yes' | 'no' | 'unknown';

/** All of them hold. */
export function all(answers: readonly Answer[]): Answer {
  if (answers.includes('no')) return 'no';
  return answers.includes('unknown') ? 'unknown' : 'yes';
}

/** At least one of them holds. */
export function any(answers: readonly Answer[]): Answer {
  if (answers.includes('yes')) return 'yes';
  return answers.includes('unknown') ? 'unknown' : 'no';
}

export function not(answer: Answer): Answer {
  return answer === 'unknown' ? 'unknown' : answer === 'yes' ? 'no' : 'yes';
}

export const answerOf = (truth: boolean): Answer => (truth ? 'yes' : 'no');

/** Where netfilter looks at a packet (the built-in chains of iptables). */
export type Hook = 'PREROUTING' | 'INPUT' | 'FORWARD' | 'OUTPUT' | 'POSTROUTING';

/** One packet on one node, as far as we know it. What is left out is not known; it never means "none". */
export interface Packet {
  readonly family: Family;
  /** Name or number: `icmp` (ICMPv6 in an IPv6 packet), `tcp`, `udp`, `47`; of no meaning in ARP. */
  readonly protocol: string;
  /** Not IP but ARP: `source` and `destination` are the sender's and the target's protocol addresses. */
  readonly arp?: 'request' | 'reply';
  readonly source?: string;
  readonly destination?: string;
  readonly sourcePort?: number;
  readonly destinationPort?: number;
  readonly icmpType?: number;
  readonly sourceMac?: string;
  readonly destinationMac?: string;
  /** Network devices; of a bridged packet the bridge. */
  readonly in?: string;
  readonly out?: string;
  /** Ports of a Linux bridge. */
  readonly bridgeIn?: string;
  readonly bridgeOut?: string;
  /** OpenFlow port number or name. */
  readonly inPort?: string;
  readonly vlan?: number;
  readonly tunnelId?: number;
  /** Connection tracking, when we know it (a first echo request is NEW). */
  readonly state?: 'NEW' | 'ESTABLISHED' | 'RELATED' | 'INVALID';
  /** Hooks it passes here; any of them when left out. */
  readonly hooks?: readonly Hook[];
  /** It also passes this node inside a tunnel. */
  readonly encapsulated?: Encapsulation;
}

/** The outside of a tunnelled packet: UDP (VXLAN 4789 or 8472, Geneve 6081), or GRE when there is no port. */
export interface Encapsulation {
  readonly udpPort?: number;
  readonly source: string;
  readonly destination: string;
  readonly family: Family;
  readonly in?: string;
  readonly out?: string;
}

/** The packet as the underlay sees it. */
export function outerPacket(encapsulation: Encapsulation): Packet {
  const { udpPort, source, destination, family } = encapsulation;
  return {
    family,
    protocol: udpPort === undefined ? 'gre' : 'udp',
    source,
    destination,
    ...(udpPort === undefined ? {} : { destinationPort: udpPort }),
    ...(encapsulation.in === undefined ? {} : { in: encapsulation.in }),
    ...(encapsulation.out === undefined ? {} : { out: encapsulation.out }),
    hooks: ['PREROUTING', 'INPUT', 'OUTPUT', 'POSTROUTING'],
  };
}

/** Names in use for IP protocols: neutron_lib IP_PROTOCOL_MAP and what /etc/protocols and ovs-ofctl call them. */
const PROTOCOLS: Readonly<Record<string, number>> = {
  hopopt: 0,
  icmp: 1,
  igmp: 2,
  ipip: 4,
  ipencap: 4,
  tcp: 6,
  egp: 8,
  udp: 17,
  dccp: 33,
  ipv6: 41,
  'ipv6-encap': 41,
  'ipv6-route': 43,
  'ipv6-frag': 44,
  rsvp: 46,
  gre: 47,
  esp: 50,
  ah: 51,
  icmp6: 58,
  icmpv6: 58,
  'ipv6-icmp': 58,
  'ipv6-nonxt': 59,
  'ipv6-opts': 60,
  ospf: 89,
  ospfigp: 89,
  vrrp: 112,
  pgm: 113,
  sctp: 132,
  udplite: 136,
};

/** The number of a protocol, `icmp` of IPv6 being ICMPv6; undefined for a name we do not know, and for `all`. */
export function protocolNumber(protocol: string, family: Family): number | undefined {
  const text = protocol.toLowerCase();
  const number = /^\d+$/.test(text) ? Number(text) : PROTOCOLS[text];
  return number === 1 && family === 6 ? 58 : number;
}

export const standsForEveryProtocol = (protocol: string): boolean => /^(?:all|any|ip|0)$/i.test(protocol);
