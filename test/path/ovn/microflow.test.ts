import { describe, expect, it } from 'vitest';
import type { Packet } from '../../../src/path/firewall/packet.ts';
import { expressionOf, openflowOf } from '../../../src/path/ovn/microflow.ts';

const link = { sourceMac: 'fa:16:3e:28:ae:76', destinationMac: 'fa:16:3e:14:e7:22' } as const;
const ping: Packet = {
  family: 4,
  protocol: 'icmp',
  icmpType: 8,
  source: '10.0.0.148',
  destination: '198.19.0.1',
  ...link,
};

describe('a packet in the words of those who are asked about it', () => {
  it('names the protocol before the fields that need it, and has a TTL', () => {
    expect(openflowOf(ping)).toBe(
      'icmp,dl_src=fa:16:3e:28:ae:76,dl_dst=fa:16:3e:14:e7:22,nw_src=10.0.0.148,nw_dst=198.19.0.1,nw_ttl=64,icmp_type=8,icmp_code=0',
    );
    expect(expressionOf(ping, 'p-1')).toBe(
      'inport == "p-1" && eth.src == fa:16:3e:28:ae:76 && eth.dst == fa:16:3e:14:e7:22 && ip4.src == 10.0.0.148 && ip4.dst == 198.19.0.1 && ip.ttl == 64 && icmp4.type == 8 && icmp4.code == 0',
    );
  });

  it('calls things of IPv6 by their own names', () => {
    const six: Packet = { ...ping, family: 6, icmpType: 128, source: 'fd00::5', destination: 'fd00::1' };
    expect(openflowOf(six)).toContain('icmp6,');
    expect(openflowOf(six)).toContain('ipv6_src=fd00::5,ipv6_dst=fd00::1,nw_ttl=64,icmpv6_type=128');
    expect(expressionOf(six, 'p')).toContain('ip6.src == fd00::5 && ip6.dst == fd00::1');
    const tcp: Packet = { ...six, protocol: 'tcp', sourcePort: 41_000, destinationPort: 22 };
    expect(openflowOf(tcp)).toMatch(/^tcp6,.*,tcp_src=41000,tcp_dst=22$/);
  });

  it('asks for an address as ARP does: of nobody yet', () => {
    const arp: Packet = {
      ...ping,
      protocol: '',
      arp: 'request',
      destination: '10.0.0.1',
      destinationMac: 'ff:ff:ff:ff:ff:ff',
    };
    expect(openflowOf(arp)).toMatch(
      /^arp,.*arp_op=1,arp_spa=10\.0\.0\.148,arp_tpa=10\.0\.0\.1,arp_sha=fa:16:3e:28:ae:76,arp_tha=00:00:00:00:00:00$/,
    );
    expect(expressionOf(arp, 'p')).toContain('arp.tha == 00:00:00:00:00:00');
  });

  it('quotes a port whose name could end the word', () => {
    expect(expressionOf(ping, 'a"b')).toContain('inport == "a\\"b"');
  });
});
