import type { Flow } from '../../nodes/parse/flows.ts';
import { type Family, normalMac } from '../addresses.ts';
import { address } from './iptables-walk.ts';
import { type Answer, all, answerOf, type Packet, protocolNumber } from './packet.ts';

/** The protocols that ovs-ofctl writes as one word (ovs-fields(7), "shorthand"). */
const SHORTHANDS: Readonly<Record<string, { readonly family?: Family; readonly protocol?: number }>> = {
  ip: { family: 4 },
  ipv6: { family: 6 },
  tcp: { family: 4, protocol: 6 },
  udp: { family: 4, protocol: 17 },
  icmp: { family: 4, protocol: 1 },
  sctp: { family: 4, protocol: 132 },
  tcp6: { family: 6, protocol: 6 },
  udp6: { family: 6, protocol: 17 },
  icmp6: { family: 6, protocol: 58 },
  sctp6: { family: 6, protocol: 132 },
  // Not IP at all.
  arp: {},
  rarp: {},
  mpls: {},
  mplsm: {},
};

/** What the OVS agent tags ports with that it could not wire; no packet of a working port wears it. */
const DEAD_VLAN = 4095;
const DEAD_VLAN_TCI = '0x0fff/0x1fff';

const ETHERTYPES: Readonly<Record<number, Family>> = { 2048: 4, 34525: 6 };

/** Could this flow take the packet, if the packet comes to its table and no flow above it takes it? */
export function flowMatches(flow: Flow, packet: Packet): Answer {
  return all(Object.entries(flow.match).map(([field, value]) => fieldMatches(field, value, packet)));
}

function fieldMatches(field: string, value: string, packet: Packet): Answer {
  if (packet.arp !== undefined) {
    const answer = arpFieldMatches(field, value, packet);
    if (answer !== undefined) return answer;
  }
  const shorthand = value === '' ? SHORTHANDS[field] : undefined;
  if (shorthand) return shorthandMatches(shorthand, packet);
  switch (field) {
    case 'in_port':
      return packet.inPort === undefined ? 'unknown' : answerOf(packet.inPort === value.replaceAll('"', ''));
    case 'dl_src':
    case 'eth_src':
      return macMatches(value, packet.sourceMac);
    case 'dl_dst':
    case 'eth_dst':
      return macMatches(value, packet.destinationMac);
    case 'dl_type':
    case 'eth_type':
      return answerOf(ETHERTYPES[Number(value)] === packet.family);
    case 'nw_src':
    case 'ip_src':
    case 'ipv6_src':
      return address(value, packet.source, packet.family);
    case 'nw_dst':
    case 'ip_dst':
    case 'ipv6_dst':
      return address(value, packet.destination, packet.family);
    case 'nw_proto':
    case 'ip_proto': {
      const found = protocolNumber(packet.protocol, packet.family);
      return found === undefined ? 'unknown' : answerOf(found === Number(value));
    }
    case 'tp_src':
    case 'tcp_src':
    case 'udp_src':
      return maskedMatches(value, packet.sourcePort);
    case 'tp_dst':
    case 'tcp_dst':
    case 'udp_dst':
      return maskedMatches(value, packet.destinationPort);
    case 'icmp_type':
    case 'icmpv6_type':
      return maskedMatches(value, packet.icmpType);
    case 'tun_id':
    case 'tunnel_id':
      return maskedMatches(value, packet.tunnelId);
    case 'dl_vlan':
      return packet.vlan === undefined && Number(value) === DEAD_VLAN ? 'no' : maskedMatches(value, packet.vlan);
    case 'vlan_tci':
      return packet.vlan === undefined && value === DEAD_VLAN_TCI ? 'no' : 'unknown';
    // Fields of ARP packets only.
    case 'arp_spa':
    case 'arp_tpa':
    case 'arp_op':
    case 'arp_sha':
    case 'arp_tha':
      return 'no';
    default:
      return 'unknown';
  }
}

/** Fields that mean another thing in ARP packets than in IP packets; undefined for those that mean the same. */
function arpFieldMatches(field: string, value: string, packet: Packet): Answer | undefined {
  if (value === '' && field in SHORTHANDS) return answerOf(field === 'arp');
  switch (field) {
    case 'dl_type':
    case 'eth_type':
      return answerOf(Number(value) === 0x0806);
    case 'arp_spa':
    case 'nw_src':
      return address(value, packet.source, 4);
    case 'arp_tpa':
    case 'nw_dst':
      return address(value, packet.destination, 4);
    case 'arp_op':
      return answerOf(Number(value) === (packet.arp === 'request' ? 1 : 2));
    case 'arp_sha':
      return macMatches(value, packet.sourceMac);
    default:
      return /^(?:ip|ipv6|nw|tp|tcp|udp|icmp|icmpv6)_/.test(field) ? 'no' : undefined;
  }
}

function shorthandMatches(wanted: { readonly family?: Family; readonly protocol?: number }, packet: Packet): Answer {
  if (wanted.family !== packet.family) return 'no';
  if (wanted.protocol === undefined) return 'yes';
  const found = protocolNumber(packet.protocol, packet.family);
  return found === undefined ? 'unknown' : answerOf(found === wanted.protocol);
}

/** `22`, `0x16`, `0x0050/0xfff0`: the bits of the mask must be equal. */
export function maskedMatches(wanted: string, found: number | undefined): Answer {
  if (found === undefined) return 'unknown';
  const [value, mask] = wanted.split('/').map(Number);
  if (value === undefined || Number.isNaN(value) || Number.isNaN(mask ?? 0)) return 'unknown';
  return answerOf(mask === undefined ? found === value : (found & mask) === (value & mask));
}

function macMatches(wanted: string, found: string | undefined): Answer {
  if (found === undefined) return 'unknown';
  const [value, mask = 'ff:ff:ff:ff:ff:ff'] = wanted.split('/');
  const [a, m, f] = [value, mask, found].map((text) => normalMac(text ?? ''));
  if (!a || !m || !f) return 'unknown';
  const number = (text: string): bigint => BigInt(`0x${text.replaceAll(':', '')}`);
  return answerOf((number(a) & number(m)) === (number(f) & number(m)));
}

/**
 * Does the packet come to this flow of its bridge? Table 0 is where every packet begins; whether it comes to another
 * table is not followed. Flows of the same table with a higher priority go first.
 */
export function flowTakes(flow: Flow, flows: readonly Flow[], packet: Packet): Answer {
  const matches = flowMatches(flow, packet);
  if (matches === 'no') return 'no';
  const above = flows.filter((other) => other.table === flow.table && other.priority > flow.priority);
  const shadows = above.map((other) => flowMatches(other, packet));
  if (shadows.includes('yes')) return 'no';
  const free: Answer = shadows.includes('unknown') ? 'unknown' : 'yes';
  return all([matches, free, flow.table === 0 ? 'yes' : 'unknown']);
}
