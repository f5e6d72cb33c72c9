import { parseAddress } from '../addresses.ts';
import type { Wearing } from './point.ts';

/** What the filter of one point has to let in. */
export interface Wanted {
  /** Addresses by which the probe's packets are known at this point, before and after translation. */
  readonly addresses: readonly string[];
  /** Destination port of a TCP or UDP probe. */
  readonly port?: number;
}

/** UDP ports of tunnels where nothing else is known: RFC 7348, RFC 8926. */
export const tunnelPorts: Readonly<Record<'vxlan' | 'geneve', number>> = { vxlan: 4789, geneve: 6081 };

/** The last four bytes of an address: all of an IPv4 one, and what tells IPv6 neighbours apart. */
function tail(address: string): { readonly family: 4 | 6; readonly word: string } | undefined {
  const parsed = parseAddress(address);
  if (parsed === undefined) return undefined;
  return { family: parsed.family, word: `0x${(parsed.value & 0xffffffffn).toString(16).padStart(8, '0')}` };
}

/** Resolution and complaints travel with the probe: without them silence cannot be told from a name that was not found. */
function plain({ addresses, port }: Wanted): string {
  const traffic = port === undefined ? 'arp or icmp' : `arp or icmp or tcp port ${port} or udp port ${port}`;
  const four = addresses.filter((a) => parseAddress(a)?.family === 4).map((a) => `((${traffic}) and host ${a})`);
  const six = addresses.flatMap((a) => {
    const end = tail(a);
    if (end?.family !== 6) return [];
    const ports = port === undefined ? '' : ` or tcp port ${port} or udp port ${port}`;
    // A solicitation goes to a multicast group; whom it asks for stands behind the ICMPv6 header (RFC 4861, 4.3).
    return [`((icmp6${ports}) and host ${a})`, `(icmp6 and (ip6[40]=135 or ip6[40]=136) and ip6[60:4]=${end.word})`];
  });
  return [...four, ...six].join(' or ');
}

/**
 * The same addresses in the frame that begins at `start` of the outer packet. Ethernet has 14 bytes; behind it IPv4 has its source
 * at 12 and its destination at 16, ARP at 14 and 24, IPv6 (the last word of each) at 20 and 36, and whom a solicitation asks for at 60.
 */
function inside(word: (offset: number) => string, addresses: readonly string[]): string {
  return addresses
    .flatMap((address) => {
      const end = tail(address);
      if (end === undefined) return [];
      const offsets = end.family === 4 ? [12, 16, 14, 24] : [20, 36, 60];
      return offsets.map((offset) => `${word(14 + offset)}=${end.word}`);
    })
    .join(' or ');
}

/**
 * The filter in the words of pcap-filter(7) that takes in the packets of a probe, and next to nothing else, at a point
 * where they wear this. Numbers and addresses only: nothing that a cloud's user chose gets into it.
 */
export function captureFilter(wears: Wearing, wanted: Wanted): string {
  switch (wears.kind) {
    case 'plain':
      return plain(wanted);
    case 'vlan': {
      const filter = plain(wanted);
      // `vlan` moves every offset that follows it, so it stands last.
      return `(${filter}) or (vlan and (${filter}))`;
    }
    case 'tunnel': {
      const [one, other] = wears.endpoints;
      const between = `host ${one} and host ${other}`;
      // pcap-filter knows udp[] over IPv4 alone; an IPv6 header without extensions has 40 bytes.
      const six = parseAddress(one)?.family === 6;
      const udp = (offset: number | string): string => (six ? `ip6[${offset}+40:4]` : `udp[${offset}:4]`);
      switch (wears.by) {
        case 'vxlan':
          return `udp port ${wears.udpPort ?? tunnelPorts.vxlan} and ${between} and (${inside((o) => udp(16 + o), wanted.addresses)})`;
        case 'geneve': {
          // Options in words of four bytes: the low six bits of the first byte behind the UDP header (RFC 8926, 3.4).
          const options = six ? '(ip6[48]&0x3f)*4' : '(udp[8]&0x3f)*4';
          return `udp port ${wears.udpPort ?? tunnelPorts.geneve} and ${between} and (${inside((o) => udp(`${options}+${16 + o}`), wanted.addresses)})`;
        }
        case 'gre':
          // Without options the outer header has 20 bytes, GRE with a key 8 (RFC 2890).
          return `proto 47 and ${between} and (${inside((o) => (six ? `ip6[${48 + o}:4]` : `ip[${28 + o}:4]`), wanted.addresses)})`;
      }
    }
  }
}
