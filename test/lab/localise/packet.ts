import type { TraceWay } from '../../../src/engine/trace.ts';

/** The packets of a probe on one way, where they are matched: addresses differ on the two sides of a translation. */
export interface Packet {
  readonly protocol: 'icmp' | 'tcp';
  readonly port?: number;
  readonly way: TraceWay;
  /** The address of the answerer. */
  readonly far: string;
  /** The address of the sender, where it is matched too. */
  readonly own?: string;
}

const there = (p: Packet): boolean => p.way === 'there';
const echo = (p: Packet): number => (there(p) ? 8 : 0);
const port = (p: Packet): number => p.port ?? 0;
const number = (p: Packet): number => (p.protocol === 'icmp' ? 1 : 6);
const source = (p: Packet): string | undefined => (there(p) ? p.own : p.far);
const destination = (p: Packet): string | undefined => (there(p) ? p.far : p.own);
const present = (...words: readonly (string | undefined)[]): string => words.filter((w) => w !== undefined).join(' ');
const on = (word: string, address: string | undefined): string | undefined =>
  address === undefined ? undefined : `${word} ${address}`;
const hex = (address: string): string =>
  `0x${address
    .split('.')
    .map((byte) => Number(byte).toString(16).padStart(2, '0'))
    .join('')}`;

/** iptables(8), iptables-extensions(8). */
export const iptables = (p: Packet): string =>
  present(
    on('-s', source(p)),
    on('-d', destination(p)),
    p.protocol === 'icmp' ? `-p icmp --icmp-type ${echo(p)}` : `-p tcp --${there(p) ? 'dport' : 'sport'} ${port(p)}`,
  );

/** nft(8), for any family that sees IP packets. */
export const nft = (p: Packet): string =>
  present(
    on('ip saddr', source(p)),
    on('ip daddr', destination(p)),
    p.protocol === 'icmp'
      ? `icmp type echo-${there(p) ? 'request' : 'reply'}`
      : `tcp ${there(p) ? 'dport' : 'sport'} ${port(p)}`,
  );

/** ebtables(8), IPv4. */
export const ebtables = (p: Packet): string =>
  present(
    '-p IPv4',
    on('--ip-src', source(p)),
    on('--ip-dst', destination(p)),
    `--ip-proto ${p.protocol}`,
    p.protocol === 'icmp' ? `--ip-icmp-type ${echo(p)}` : `--ip-${there(p) ? 'dport' : 'sport'} ${port(p)}`,
  );

/** pcap-filter(7). */
export const pcap = (p: Packet): string =>
  [
    p.protocol === 'icmp' ? `icmp and icmp[0]=${echo(p)}` : `tcp ${there(p) ? 'dst' : 'src'} port ${port(p)}`,
    on('src host', source(p)),
    on('dst host', destination(p)),
  ]
    .filter((w) => w !== undefined)
    .join(' and ');

/** tc-u32(8), for `protocol ip`. */
export const u32 = (p: Packet): string =>
  present(
    `match ip protocol ${number(p)} 0xff`,
    on('match ip src', source(p)),
    on('match ip dst', destination(p)),
    p.protocol === 'icmp'
      ? `match u8 ${echo(p)} 0xff at 20`
      : `match ip ${there(p) ? 'dport' : 'sport'} ${port(p)} 0xffff`,
  );

/** ovs-fields(7). */
export const ovs = (p: Packet): string =>
  [
    p.protocol,
    source(p) === undefined ? undefined : `nw_src=${source(p)}`,
    destination(p) === undefined ? undefined : `nw_dst=${destination(p)}`,
    p.protocol === 'icmp' ? `icmp_type=${echo(p)}` : `${there(p) ? 'tp_dst' : 'tp_src'}=${port(p)}`,
  ]
    .filter((w) => w !== undefined)
    .join(',');

/** What a network's packets are wrapped in: its UDP port, and how many bytes stand between the UDP header and the frame. */
export interface Tunnel {
  readonly port: number;
  readonly header: number;
}

/** RFC 7348; and RFC 8926 with OVN's one option of 8 bytes. */
export const vxlan: Tunnel = { port: 4789, header: 8 };
export const geneve: Tunnel = { port: 6081, header: 16 };

/** The same packets inside a tunnel: from the outer UDP header on, 8 bytes of it, the tunnel's, 14 of Ethernet, and an IPv4 header without options. */
const innerOf = ({ header }: Tunnel) => {
  const ip = 8 + header + 14;
  return { proto: ip + 9, source: ip + 12, destination: ip + 16, payload: ip + 20 } as const;
};

/** iptables' u32 counts from the outer IPv4 header, and reads four bytes at once. */
export function iptablesInVxlan(p: Packet): string {
  const inner = innerOf(vxlan);
  const at = (offset: number): number => offset + 20;
  const tests = [
    `${at(inner.proto) - 3}&0xFF=${number(p)}`,
    ...(source(p) === undefined ? [] : [`${at(inner.source)}=${hex(source(p) ?? '')}`]),
    ...(destination(p) === undefined ? [] : [`${at(inner.destination)}=${hex(destination(p) ?? '')}`]),
    p.protocol === 'icmp'
      ? `${at(inner.payload)}>>24=${echo(p)}`
      : there(p)
        ? `${at(inner.payload)}&0xFFFF=${port(p)}`
        : `${at(inner.payload)}>>16=${port(p)}`,
  ];
  return `-p udp --dport 4789 -m u32 --u32 '${tests.join('&&')}'`;
}

export function nftInside(tunnel: Tunnel, p: Packet): string {
  const inner = innerOf(tunnel);
  const field = (offset: number, bits: number, value: number | string): string => `@th,${offset * 8},${bits} ${value}`;
  return present(
    `udp dport ${tunnel.port}`,
    field(inner.proto, 8, number(p)),
    source(p) === undefined ? undefined : field(inner.source, 32, hex(source(p) ?? '')),
    destination(p) === undefined ? undefined : field(inner.destination, 32, hex(destination(p) ?? '')),
    p.protocol === 'icmp' ? field(inner.payload, 8, echo(p)) : field(inner.payload + (there(p) ? 2 : 0), 16, port(p)),
  );
}

export function pcapInside(tunnel: Tunnel, p: Packet): string {
  const inner = innerOf(tunnel);
  return [
    `udp dst port ${tunnel.port}`,
    `udp[${inner.proto}]=${number(p)}`,
    source(p) === undefined ? undefined : `udp[${inner.source}:4]=${hex(source(p) ?? '')}`,
    destination(p) === undefined ? undefined : `udp[${inner.destination}:4]=${hex(destination(p) ?? '')}`,
    p.protocol === 'icmp'
      ? `udp[${inner.payload}]=${echo(p)}`
      : `udp[${inner.payload + (there(p) ? 2 : 0)}:2]=${port(p)}`,
  ]
    .filter((w) => w !== undefined)
    .join(' and ');
}
