import type { Layer } from '../../nodes/parse/frame/layer.ts';

/** The headers behind the last tunnel: the packet itself. */
function innermost(layers: readonly Layer[]): readonly Layer[] {
  const tunnel = layers.findLastIndex((l) => l.layer === 'vxlan' || l.layer === 'geneve' || l.layer === 'gre');
  return layers.slice(tunnel + 1);
}

/**
 * A packet that was seen, in the words of ovs-fields(7), as `ofproto/trace` takes them; undefined for what has none. Addresses and numbers
 * of decoded headers only. The TTL is the packet's own: with 0 the switch would say that it drops it.
 */
export function switchFlow(layers: readonly Layer[]): string | undefined {
  const own = innermost(layers);
  const words: string[] = [];
  const six = own.some((l) => l.layer === 'ipv6');
  const transport = own.find(
    (l) => l.layer === 'icmp' || l.layer === 'icmpv6' || l.layer === 'tcp' || l.layer === 'udp',
  );
  for (const layer of own) {
    switch (layer.layer) {
      case 'ethernet':
        words.push(`dl_src=${layer.source}`, `dl_dst=${layer.destination}`);
        break;
      case 'arp':
        words.push(
          'arp',
          `arp_op=${layer.operation === 'request' ? 1 : layer.operation === 'reply' ? 2 : layer.operation}`,
          `arp_spa=${layer.sender}`,
          `arp_tpa=${layer.target}`,
          `arp_sha=${layer.senderMac}`,
          `arp_tha=${layer.targetMac}`,
        );
        break;
      case 'ipv4':
        words.push(
          ...prerequisite(transport, six),
          `nw_src=${layer.source}`,
          `nw_dst=${layer.destination}`,
          `nw_ttl=${Math.max(1, layer.ttl)}`,
        );
        break;
      case 'ipv6':
        words.push(
          ...prerequisite(transport, six),
          `ipv6_src=${layer.source}`,
          `ipv6_dst=${layer.destination}`,
          `nw_ttl=${Math.max(1, layer.hopLimit)}`,
        );
        break;
      case 'icmp':
        words.push(`icmp_type=${layer.type}`, `icmp_code=${layer.code}`);
        break;
      case 'icmpv6':
        words.push(`icmpv6_type=${layer.type}`, `icmpv6_code=${layer.code}`);
        break;
      case 'tcp':
        words.push(`tcp_src=${layer.sourcePort}`, `tcp_dst=${layer.destinationPort}`);
        break;
      case 'udp':
        words.push(`udp_src=${layer.sourcePort}`, `udp_dst=${layer.destinationPort}`);
        break;
      case 'cooked':
      case 'vlan':
      case 'dhcp':
      case 'vxlan':
      case 'gre':
      case 'geneve':
      case 'unknown':
        break;
    }
  }
  return words.some((w) => /^(?:arp|icmp6?|tcp6?|udp6?)$/.test(w)) ? words.join(',') : undefined;
}

/** ovs-fields(7): the protocol stands before the first field that needs it, or the switch refuses the question. */
function prerequisite(transport: Layer | undefined, six: boolean): readonly string[] {
  switch (transport?.layer) {
    case 'icmp':
      return ['icmp'];
    case 'icmpv6':
      return ['icmp6'];
    case 'tcp':
    case 'udp':
      return [six ? `${transport.layer}6` : transport.layer];
    default:
      return [];
  }
}
