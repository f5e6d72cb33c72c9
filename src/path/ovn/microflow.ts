import type { Packet } from '../firewall/packet.ts';

/**
 * One packet in the words of the two that are asked what they would do with it: Open vSwitch (ovs-fields(7)) and ovn-trace (ovn-sb(5),
 * Logical_Flow, "match"). A TTL of 64, for with 0 both would say that they drop it.
 */

const ttl = 64;
const nobody = '00:00:00:00:00:00';

const operation = (packet: Packet): number => (packet.arp === 'request' ? 1 : 2);

/** As `ofproto/trace` takes it, without the port that it comes in by. */
export function openflowOf(packet: Packet): string {
  const { source = '', destination = '', sourceMac = nobody, destinationMac = nobody } = packet;
  const link = [`dl_src=${sourceMac}`, `dl_dst=${destinationMac}`];
  if (packet.arp !== undefined) {
    const target = packet.arp === 'request' ? nobody : destinationMac;
    return [
      'arp',
      ...link,
      `arp_op=${operation(packet)}`,
      ...[`arp_spa=${source}`, `arp_tpa=${destination}`, `arp_sha=${sourceMac}`, `arp_tha=${target}`],
    ].join(',');
  }
  const six = packet.family === 6;
  const names = six ? (['ipv6_src', 'ipv6_dst'] as const) : (['nw_src', 'nw_dst'] as const);
  const network = [`${names[0]}=${source}`, `${names[1]}=${destination}`, `nw_ttl=${ttl}`];
  switch (packet.protocol) {
    case 'icmp':
      return [
        six ? 'icmp6' : 'icmp',
        ...link,
        ...network,
        `${six ? 'icmpv6' : 'icmp'}_type=${packet.icmpType ?? 0}`,
        `${six ? 'icmpv6' : 'icmp'}_code=0`,
      ].join(',');
    case 'tcp':
    case 'udp':
      return [
        `${packet.protocol}${six ? '6' : ''}`,
        ...link,
        ...network,
        `${packet.protocol}_src=${packet.sourcePort ?? 0}`,
        `${packet.protocol}_dst=${packet.destinationPort ?? 0}`,
      ].join(',');
    default:
      return [six ? 'ipv6' : 'ip', ...link, ...network].join(',');
  }
}

/** As ovn-trace takes it, entering by a logical port. */
export function expressionOf(packet: Packet, inport: string): string {
  const { source = '', destination = '', sourceMac = nobody, destinationMac = nobody } = packet;
  const link = [`inport == ${JSON.stringify(inport)}`, `eth.src == ${sourceMac}`, `eth.dst == ${destinationMac}`];
  if (packet.arp !== undefined) {
    const target = packet.arp === 'request' ? nobody : destinationMac;
    return [
      ...link,
      `arp.op == ${operation(packet)}`,
      ...[`arp.spa == ${source}`, `arp.tpa == ${destination}`, `arp.sha == ${sourceMac}`, `arp.tha == ${target}`],
    ].join(' && ');
  }
  const ip = packet.family === 6 ? 'ip6' : 'ip4';
  const network = [`${ip}.src == ${source}`, `${ip}.dst == ${destination}`, `ip.ttl == ${ttl}`];
  switch (packet.protocol) {
    case 'icmp': {
      const icmp = packet.family === 6 ? 'icmp6' : 'icmp4';
      return [...link, ...network, `${icmp}.type == ${packet.icmpType ?? 0}`, `${icmp}.code == 0`].join(' && ');
    }
    case 'tcp':
    case 'udp': {
      const { protocol, sourcePort = 0, destinationPort = 0 } = packet;
      return [...link, ...network, `${protocol}.src == ${sourcePort}`, `${protocol}.dst == ${destinationPort}`].join(
        ' && ',
      );
    }
    default:
      return [...link, ...network].join(' && ');
  }
}
