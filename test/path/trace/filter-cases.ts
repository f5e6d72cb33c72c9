import { captureFilter, type Wanted } from '../../../src/path/trace/filter.ts';
import type { Wearing } from '../../../src/path/trace/point.ts';

/** What is followed where it wears what: one filter of a trace. */
export interface FilterCase {
  readonly says: string;
  /** Its wearing in words. */
  readonly dress: string;
  readonly wears: Wearing;
  readonly wanted: Wanted;
  readonly filter: string;
}

/** The first four bytes that the UDP datagrams of the captures carry: `ping`. */
const mark = 0x70696e67;

/** Of a lease that is asked for in the captures; the last byte is the packet's number. */
const transaction = 0x0f5d9b00;

const wearings: Readonly<Record<string, Wearing>> = {
  'as it is': { kind: 'plain' },
  'with a tag': { kind: 'vlan', id: 2113 },
  'in VXLAN': { kind: 'tunnel', by: 'vxlan', vni: 369, endpoints: ['198.18.1.20', '198.18.1.31'] },
  'in VXLAN of another host': { kind: 'tunnel', by: 'vxlan', vni: 391, endpoints: ['198.18.1.32', '198.18.1.20'] },
  'in VXLAN on the old port': {
    kind: 'tunnel',
    by: 'vxlan',
    vni: 262143,
    endpoints: ['10.9.0.1', '10.9.0.2'],
    udpPort: 8472,
  },
  'in VXLAN over IPv6': { kind: 'tunnel', by: 'vxlan', vni: 66, endpoints: ['fd09::1', 'fd09::2'] },
  'in Geneve': { kind: 'tunnel', by: 'geneve', vni: 30634, endpoints: ['10.9.0.1', '10.9.0.2'] },
  'in Geneve over IPv6': { kind: 'tunnel', by: 'geneve', vni: 1, endpoints: ['fd09::1', 'fd09::2'] },
  'in GRE': { kind: 'tunnel', by: 'gre', vni: 7, endpoints: ['10.9.0.1', '10.9.0.2'] },
  'in GRE over IPv6': { kind: 'tunnel', by: 'gre', vni: 7, endpoints: ['fd09::1', 'fd09::2'] },
};

const ends: Readonly<Record<string, readonly string[]>> = {
  'an instance': ['10.0.0.147'],
  'another instance': ['10.7.0.2'],
  'an instance with IPv6': ['fd00:77::f816:3eff:fe24:af6c'],
  'another instance with IPv6': ['fd07::2'],
  'a host behind a router': ['10.2.0.1'],
  'what is no address': ['web-1; rm -rf /'],
  'an instance behind a translation': ['198.19.0.186', '10.0.0.94'],
};

const probes: readonly Omit<Wanted, 'addresses'>[] = [
  { protocol: 'icmp' },
  { protocol: 'tcp', port: 22 },
  { protocol: 'udp', port: 4000, mark },
  { protocol: 'arp' },
  { protocol: 'dhcp', mark: transaction },
];

export const filterCases: readonly FilterCase[] = Object.entries(wearings).flatMap(([how, wears]) =>
  Object.entries(ends).flatMap(([to, addresses]) =>
    probes.map((probe): FilterCase => {
      const wanted = { ...probe, addresses };
      return {
        says: `${probe.protocol} to ${to}, ${how}`,
        dress: how,
        wears,
        wanted,
        filter: captureFilter(wears, wanted),
      };
    }),
  ),
);
