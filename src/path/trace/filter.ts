import { parseAddress } from '../addresses.ts';
import type { Wearing } from './point.ts';

/** What the filter of one point has to let in. */
export interface Wanted {
  /** Addresses by which the probe's packets are known at this point, before and after translation. */
  readonly addresses: readonly string[];
  readonly protocol: 'icmp' | 'tcp' | 'udp' | 'arp' | 'dhcp';
  /** Destination port of a TCP or UDP probe. */
  readonly port?: number;
  /** First four bytes of a UDP probe's payload; the transaction of a DHCP probe's first packet but for its last byte. */
  readonly mark?: number;
}

/** UDP ports of tunnels where nothing else is known: RFC 7348, RFC 8926. */
export const tunnelPorts: Readonly<Record<'vxlan' | 'geneve', number>> = { vxlan: 4789, geneve: 6081 };

/** What no packet is. Where no address is known an empty filter would take in everything that anybody sends. */
const nothing = 'less 1';

/** The last four bytes of an address: all of an IPv4 one, and what tells IPv6 neighbours apart. */
function tail(address: string): { readonly family: 4 | 6; readonly word: string } | undefined {
  const parsed = parseAddress(address);
  if (parsed === undefined) return undefined;
  return { family: parsed.family, word: `0x${(parsed.value & 0xffffffffn).toString(16).padStart(8, '0')}` };
}

const hex = (value: number): string => `0x${value.toString(16).padStart(8, '0')}`;

/** SYN and RST: what opens and refuses a connection, and never carries what users send. */
const synOrRst = 6;

/** The transaction's last byte is the packet's number. */
const transaction = (word: string, mark = 0): string => `${word}&0xffffff00=${hex((mark & 0xffffff00) >>> 0)}`;

/** Resolution and complaints travel with the probe: without them silence cannot be told from a name that was not found. */
function plain({ addresses, protocol, port, mark }: Wanted): string {
  const own = (four: boolean): string => {
    switch (protocol) {
      case 'tcp':
        return ` or (tcp port ${port ?? 0} and ${four ? 'tcp[13]' : 'ip6[53]'}&${synOrRst}!=0)`;
      case 'udp':
        return ` or (udp port ${port ?? 0} and ${four ? 'udp[8:4]' : 'ip6[48:4]'}=${hex(mark ?? 0)})`;
      case 'icmp':
      case 'arp':
      case 'dhcp':
        return '';
    }
  };
  // A DISCOVER is from nobody to all, and whoever answers is to be seen: BOOTP's transaction stands at 8 + 4 (RFC 951).
  const asks = protocol === 'dhcp' ? [`((udp port 67 or udp port 68) and ${transaction('udp[12:4]', mark)})`] : [];
  const words = addresses.flatMap((a) => {
    const end = tail(a);
    if (end === undefined) return [];
    // Who refuses a packet quotes it behind its own header: whom it was for stands at 8 + 16 (RFC 792).
    if (end.family === 4) return [`((arp or icmp${own(true)}) and host ${a})`, `(icmp and icmp[24:4]=${end.word})`];
    // A solicitation goes to a multicast group; whom it asks for stands behind the ICMPv6 header (RFC 4861, 4.3).
    return [
      `((icmp6${own(false)}) and host ${a})`,
      `(icmp6 and (ip6[40]=135 or ip6[40]=136) and ip6[60:4]=${end.word})`,
    ];
  });
  return [...asks, ...words].join(' or ') || nothing;
}

/**
 * The same packets in the frame that begins at `start` of the outer one. Ethernet has 14 bytes with the type at 12. Behind it IPv4 has its
 * protocol at 9, its source at 12, its destination at 16 and (without options) its payload at 20; ARP the two addresses at 14 and 24; IPv6 the
 * next header at 6, the last word of each address at 20 and 36, its payload at 40, and there whom a solicitation asks for at 20.
 */
function inside(at: (offset: number, bytes: 1 | 2 | 4) => string, { addresses, protocol, port, mark }: Wanted): string {
  const type = at(12, 2);
  const own = (header: number, payload: number): string => {
    switch (protocol) {
      case 'tcp':
        return ` or (${at(header, 1)}=6 and (${at(payload, 2)}=${port ?? 0} or ${at(payload + 2, 2)}=${port ?? 0}) and ${at(payload + 13, 1)}&${synOrRst}!=0)`;
      case 'udp':
        return ` or (${at(header, 1)}=17 and ${at(payload + 2, 2)}=${port ?? 0} and ${at(payload + 8, 4)}=${hex(mark ?? 0)})`;
      case 'icmp':
      case 'arp':
      case 'dhcp':
        return '';
    }
  };
  const bootp = 14 + 20;
  const asks =
    protocol === 'dhcp'
      ? [
          `(${type}=0x0800 and ${at(14 + 9, 1)}=17 and (${at(bootp + 2, 2)}=67 or ${at(bootp + 2, 2)}=68) and ${transaction(at(bootp + 12, 4), mark)})`,
        ]
      : [];
  const words = addresses.flatMap((address) => {
    const end = tail(address);
    if (end === undefined) return [];
    const is = (offset: number): string => `${at(14 + offset, 4)}=${end.word}`;
    return end.family === 4
      ? [
          `(${type}=0x0800 and (${is(12)} or ${is(16)}) and (${at(14 + 9, 1)}=1${own(14 + 9, 14 + 20)}))`,
          `(${type}=0x0806 and (${is(14)} or ${is(24)}))`,
        ]
      : [`(${type}=0x86dd and (${is(20)} or ${is(36)} or ${is(60)}) and (${at(14 + 6, 1)}=58${own(14 + 6, 14 + 40)}))`];
  });
  return [...asks, ...words].join(' or ') || nothing;
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
      const udp =
        (start: string) =>
        (offset: number, bytes: number): string =>
          six ? `ip6[${start}+${offset + 40}:${bytes}]` : `udp[${start}+${offset}:${bytes}]`;
      switch (wears.by) {
        case 'vxlan':
          return `udp port ${wears.udpPort ?? tunnelPorts.vxlan} and ${between} and (${inside(udp('16'), wanted)})`;
        case 'geneve': {
          // Options in words of four bytes: the low six bits of the first byte behind the UDP header (RFC 8926, 3.4).
          const options = six ? '(ip6[48]&0x3f)*4' : '(udp[8]&0x3f)*4';
          return `udp port ${wears.udpPort ?? tunnelPorts.geneve} and ${between} and (${inside(udp(`${options}+16`), wanted)})`;
        }
        case 'gre': {
          // Without options the outer header has 20 bytes (40 of IPv6), GRE 4 and for each of checksum, key and sequence
          // number, as its first byte says, 4 more (RFC 2784, RFC 2890).
          const [word, outer] = six ? ['ip6', 40] : ['ip', 20];
          const flags = (mask: number, shift: number): string => `((${word}[${outer}]&${mask})>>${shift})`;
          const more = `${flags(0x80, 5)}+${flags(0x20, 3)}+${flags(0x10, 2)}`;
          const ip = (offset: number, bytes: number): string => `${word}[${more}+${outer + 4 + offset}:${bytes}]`;
          return `proto 47 and ${between} and (${inside(ip, wanted)})`;
        }
      }
    }
  }
}
