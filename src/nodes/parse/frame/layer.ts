/**
 * What the headers of a frame say. Numbers are as written on the wire (host byte order); MAC addresses are lower case
 * with colons, IP addresses dotted quads or RFC 5952.
 */
export type Layer =
  | EthernetLayer
  | CookedLayer
  | VlanLayer
  | ArpLayer
  | Ipv4Layer
  | Ipv6Layer
  | IcmpLayer
  | Icmpv6Layer
  | TcpLayer
  | UdpLayer
  | DhcpLayer
  | VxlanLayer
  | GreLayer
  | GeneveLayer
  | UnknownLayer;

export interface EthernetLayer {
  readonly layer: 'ethernet';
  readonly source: string;
  readonly destination: string;
  /** EtherType of what follows (0x8100 when that is a tag); below 0x600 the length of an IEEE 802.3 frame. */
  readonly type: number;
}

/** The pseudo header of captures on `any`, and on devices without Ethernet (LINKTYPE_LINUX_SLL, LINKTYPE_LINUX_SLL2). */
export interface CookedLayer {
  readonly layer: 'cooked';
  /** From the host's sight: `host` came in for it, `other` came in for somebody else, `outgoing` was sent by it. */
  readonly direction: 'host' | 'broadcast' | 'multicast' | 'other' | 'outgoing' | number;
  /** MAC address of the sender; absent where devices have none. */
  readonly source?: string;
  /** EtherType of what follows. */
  readonly type: number;
  /** Index of the device; told by LINUX_SLL2 only. */
  readonly interfaceIndex?: number;
}

export interface VlanLayer {
  readonly layer: 'vlan';
  readonly id: number;
  /** 802.1p, 0 to 7. */
  readonly priority: number;
  /** What kind of tag this is: 0x8100 (802.1Q), 0x88a8 (802.1ad), 0x9100. */
  readonly tpid: number;
  /** EtherType of what follows the tag; see `EthernetLayer.type`. */
  readonly type: number;
}

export interface ArpLayer {
  readonly layer: 'arp';
  readonly operation: 'request' | 'reply' | number;
  readonly senderMac: string;
  readonly sender: string;
  readonly targetMac: string;
  readonly target: string;
}

export interface Ipv4Layer {
  readonly layer: 'ipv4';
  readonly source: string;
  readonly destination: string;
  readonly ttl: number;
  readonly id: number;
  readonly protocol: number;
  readonly dscp: number;
  readonly dontFragment: boolean;
  readonly moreFragments: boolean;
  /** In bytes. Above zero nothing but the payload follows: the first fragment has the headers. */
  readonly fragmentOffset: number;
  /** Header and payload, in bytes; 0 when the kernel had not cut a large segment yet (segmentation offload). */
  readonly totalLength: number;
}

export interface Ipv6Layer {
  readonly layer: 'ipv6';
  readonly source: string;
  readonly destination: string;
  readonly hopLimit: number;
  /** As in the fixed header: perhaps an extension header. */
  readonly nextHeader: number;
  /** What follows the extension headers. */
  readonly protocol: number;
  readonly dscp: number;
  /** Extension headers and payload, in bytes; 0 for a jumbogram, or a large segment before it is cut. */
  readonly payloadLength: number;
  /** Of the fragment header; see `Ipv4Layer.fragmentOffset`. */
  readonly fragment?: { readonly id: number; readonly offset: number; readonly moreFragments: boolean };
}

export interface IcmpLayer {
  readonly layer: 'icmp';
  readonly type: number;
  readonly code: number;
  /** Of echo and timestamp messages. */
  readonly id?: number;
  readonly sequence?: number;
  /** MTU of the next hop, with `fragmentation needed` (type 3 code 4); 0 from routers before RFC 1191. */
  readonly mtu?: number;
  /** The better router, of a redirect. */
  readonly gateway?: string;
  /** The packet that an error is about, as far as it is quoted. */
  readonly quoted?: readonly Layer[];
}

export interface Icmpv6Layer {
  readonly layer: 'icmpv6';
  readonly type: number;
  readonly code: number;
  /** Of echo messages. */
  readonly id?: number;
  readonly sequence?: number;
  /** MTU of the next hop, with `packet too big` (type 2); or the link's, in a router advertisement. */
  readonly mtu?: number;
  /** Whom a neighbour solicitation or advertisement is about; of a redirect the better hop. */
  readonly target?: string;
  /** Source or target link-layer address option of a neighbour discovery message. */
  readonly linkAddress?: string;
  readonly quoted?: readonly Layer[];
}

export type TcpFlag = 'fin' | 'syn' | 'rst' | 'psh' | 'ack' | 'urg' | 'ece' | 'cwr';

export interface TcpLayer {
  readonly layer: 'tcp';
  readonly sourcePort: number;
  readonly destinationPort: number;
  /** As on the wire, not relative. */
  readonly seq: number;
  /** This and what follows is absent when an ICMP error quotes no more than the first eight bytes (RFC 792). */
  readonly ack?: number;
  /** Those that are set, from the lowest bit on. */
  readonly flags?: readonly TcpFlag[];
  /** As on the wire, not scaled. */
  readonly window?: number;
  /** Maximum segment size, an option of SYN. */
  readonly mss?: number;
}

export interface UdpLayer {
  readonly layer: 'udp';
  readonly sourcePort: number;
  readonly destinationPort: number;
  /** Header and payload, in bytes. */
  readonly length: number;
}

export type DhcpMessage = 'discover' | 'offer' | 'request' | 'decline' | 'ack' | 'nak' | 'release' | 'inform';

export interface DhcpLayer {
  readonly layer: 'dhcp';
  readonly operation: 'request' | 'reply' | number;
  readonly transaction: number;
  /** Option 53; absent in plain BOOTP. */
  readonly type?: DhcpMessage | number;
  readonly clientMac: string;
  /** The client's address as it knows it itself (ciaddr), when it has one. */
  readonly clientAddress?: string;
  /** What is offered or leased (yiaddr), when anything is. */
  readonly yourAddress?: string;
  /** giaddr. */
  readonly relay?: string;
  /** Option 50. */
  readonly requestedAddress?: string;
  /** Option 54. */
  readonly serverId?: string;
  /** Option 1. */
  readonly netmask?: string;
  /** Option 3, the first of them. */
  readonly router?: string;
  /** Option 6. */
  readonly nameServers?: readonly string[];
  /** Option 121 (RFC 3442): `169.254.169.254/32 via 10.0.0.1`. */
  readonly routes?: readonly string[];
  /** Option 26. */
  readonly mtu?: number;
  /** Option 51. */
  readonly leaseSeconds?: number;
}

export interface VxlanLayer {
  readonly layer: 'vxlan';
  readonly vni: number;
}

export interface GreLayer {
  readonly layer: 'gre';
  /** EtherType of what follows; 0x6558 is Ethernet. */
  readonly protocol: number;
  readonly key?: number;
  readonly sequence?: number;
}

export interface GeneveLayer {
  readonly layer: 'geneve';
  readonly vni: number;
  /** EtherType of what follows; 0x6558 is Ethernet. */
  readonly protocol: number;
  /** In bytes. */
  readonly optionsLength: number;
  /** OVN's option: keys of the logical ports by which the packet came into its datapath and leaves it. */
  readonly logicalPorts?: { readonly ingress: number; readonly egress: number };
}

/** What is not decoded: another protocol, or a header that contradicts itself. The last layer when there is one. */
export interface UnknownLayer {
  readonly layer: 'unknown';
  readonly what: string;
}
