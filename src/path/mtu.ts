import type { Family } from './addresses.ts';

export type NetworkType = 'vxlan' | 'gre' | 'geneve' | 'vlan' | 'flat' | 'local';

const IP_HEADER: Readonly<Record<Family, number>> = { 4: 20, 6: 40 };
const ICMP_HEADER = 8;

/** Geneve with OVN's options, `[ml2_type_geneve] max_header_size` = 38. ML2/OVS sends no options and needs 30. */
export const OVN_GENEVE_HEADER = 38;

/**
 * Bytes of the underlay's MTU that a network of this type spends on the way, below its own IP packet: outer IP, tunnel
 * header, inner Ethernet. VXLAN 30 (UDP 8 + VXLAN 8 + Ethernet 14), GRE 22 (8 + 14), Geneve 30 with its fixed header
 * (neutron_lib *_ENCAP_OVERHEAD), 38 with OVN's options. A VLAN tag is not part of the MTU.
 */
export function encapsulationOverhead(type: NetworkType, outer: Family, geneveHeader = OVN_GENEVE_HEADER): number {
  switch (type) {
    case 'vxlan':
      return 30 + IP_HEADER[outer];
    case 'gre':
      return 22 + IP_HEADER[outer];
    case 'geneve':
      return geneveHeader + IP_HEADER[outer];
    case 'vlan':
    case 'flat':
    case 'local':
      return 0;
  }
}

/** The largest MTU a network of this type can have on an underlay of this MTU. */
export function largestNetworkMtu(
  underlayMtu: number,
  type: NetworkType,
  outer: Family,
  geneveHeader = OVN_GENEVE_HEADER,
): number {
  return underlayMtu - encapsulationOverhead(type, outer, geneveHeader);
}

/** The smallest MTU the underlay must have to carry this network. */
export function neededUnderlayMtu(
  networkMtu: number,
  type: NetworkType,
  outer: Family,
  geneveHeader = OVN_GENEVE_HEADER,
): number {
  return networkMtu + encapsulationOverhead(type, outer, geneveHeader);
}

/** `ping -s` for a packet that fills `mtu` exactly (IP header and 8 bytes of ICMP taken off). */
export function fullSizePayload(mtu: number, family: Family): number {
  return mtu - IP_HEADER[family] - ICMP_HEADER;
}

/** One link of the path. `tenant`: carries the network's own packets; `underlay`: carries them in their tunnel. */
export interface PathLink {
  readonly host: string;
  readonly device: string;
  readonly mtu: number;
  readonly carries: 'tenant' | 'underlay';
}

export interface NarrowLink {
  readonly link: PathLink;
  /** The MTU this link would need for the network's full-size packets. */
  readonly needs: number;
  /** needs − mtu. */
  readonly short: number;
}

export interface MtuBudget {
  readonly networkMtu: number;
  readonly overhead: number;
  /** What fits through every link, seen from the instance. Undefined when there is no link to measure. */
  readonly fits: number | undefined;
  /** The link that sets `fits`; the first in path order of equals. */
  readonly narrowest: PathLink | undefined;
  /** Links that full-size packets do not fit through, worst first. */
  readonly tooNarrow: readonly NarrowLink[];
}

/**
 * What the links of a path leave for the network's packets. A tunnel device (vxlan-1021, MTU 1450) counts as `tenant`;
 * the device its packets leave by (eth1, 1500) as `underlay`. Open vSwitch's own `vxlan_sys_4789` (MTU 65000) is a
 * tenant link that never narrows anything.
 */
export function mtuBudget(path: {
  readonly networkMtu: number;
  readonly type: NetworkType;
  readonly outer: Family;
  readonly links: readonly PathLink[];
  readonly geneveHeader?: number;
}): MtuBudget {
  const overhead = encapsulationOverhead(path.type, path.outer, path.geneveHeader);
  const room = (link: PathLink): number => (link.carries === 'underlay' ? link.mtu - overhead : link.mtu);
  let narrowest: PathLink | undefined;
  for (const link of path.links) if (!narrowest || room(link) < room(narrowest)) narrowest = link;
  const tooNarrow = path.links
    .filter((link) => room(link) < path.networkMtu)
    .map((link) => ({ link, needs: path.networkMtu + link.mtu - room(link), short: path.networkMtu - room(link) }))
    .sort((a, b) => b.short - a.short);
  return { networkMtu: path.networkMtu, overhead, fits: narrowest && room(narrowest), narrowest, tooNarrow };
}
