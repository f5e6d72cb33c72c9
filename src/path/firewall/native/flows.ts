import type { Flow } from '../../../nodes/parse/flows.ts';
import type { Family } from '../../addresses.ts';
import type { Direction } from '../../secgroup/model.ts';

/** Tables of br-int that the OVS firewall uses (neutron_lib ovs_constants). */
export const TRANSIENT = 60;
export const BASE_EGRESS = 71;
export const ACCEPT_OR_INGRESS = 73;
export const BASE_INGRESS = 81;
export const RULES: Readonly<Record<Direction, number>> = { egress: 72, ingress: 82 };

/** States a packet of a connection may be in that no reply has been seen of (openvswitch_firewall/rules.py CT_STATES). */
export const NEW = '+new-est';
export const ESTABLISHED = '+est-rel-rpl';

export const isOfPort = (flow: Flow, ofport: number): boolean =>
  Number(flow.match.reg5) === ofport || flow.match.in_port === String(ofport);

/** `resubmit(,71)`, or `goto_table:71` where OpenFlow 1.3 is spoken. */
export const goesTo = (flow: Flow, table: number): boolean =>
  new RegExp(`resubmit\\(,${table}\\)|goto_table:${table}\\b`).test(flow.actions);

const outputsTo = (flow: Flow, ofport: number): boolean =>
  new RegExp(`(?:^|[,(])output:${ofport}(?![\\d])`).test(flow.actions);

export interface Ports {
  readonly from: number;
  readonly to: number;
}

export const EVERY_PORT: Ports = { from: 0, to: 0xffff };

/** A flow for new connections: protocol, the other end, ports (or ICMP type and code as one number). */
export interface Let {
  readonly flow: Flow;
  readonly direction: Direction;
  readonly state: typeof NEW | typeof ESTABLISHED;
  readonly protocol: number | undefined;
  readonly remote: string | undefined;
  readonly ports: readonly Ports[];
  /** Set when the other end is a conjunction's business. */
  readonly conjunction: number | undefined;
}

const WORDS: Readonly<Record<string, readonly [Family, number | undefined]>> = {
  ip: [4, undefined],
  ipv6: [6, undefined],
  tcp: [4, 6],
  udp: [4, 17],
  icmp: [4, 1],
  sctp: [4, 132],
  tcp6: [6, 6],
  udp6: [6, 17],
  icmp6: [6, 58],
  sctp6: [6, 132],
};

export function protocolOfFlow(
  flow: Flow,
): { readonly family: Family; readonly protocol: number | undefined } | undefined {
  for (const [word, [family, protocol]] of Object.entries(WORDS)) {
    if (flow.match[word] !== '') continue;
    const number = flow.match.nw_proto ?? flow.match.ip_proto;
    return { family, protocol: number === undefined ? protocol : Number(number) };
  }
  const type = Number(flow.match.dl_type ?? flow.match.eth_type);
  const family = type === 0x0800 ? 4 : type === 0x86dd ? 6 : undefined;
  const number = flow.match.nw_proto ?? flow.match.ip_proto;
  return family && { family, protocol: number === undefined ? undefined : Number(number) };
}

/** A value under a mask of leading ones, as Neutron makes them of port ranges, is a range. */
function rangeOf(text: string): Ports | undefined {
  const [value, mask = 0xffff] = text.split('/').map(Number);
  if (value === undefined || Number.isNaN(value) || Number.isNaN(mask)) return undefined;
  const low = value & mask;
  const rest = ~mask & 0xffff;
  return (rest & (rest + 1)) === 0 ? { from: low, to: low | rest } : undefined;
}

function portsOfFlow(flow: Flow, protocol: number | undefined): Ports | undefined {
  const { match } = flow;
  if (protocol === 1 || protocol === 58) {
    const type = match.icmp_type ?? match.icmpv6_type;
    const code = match.icmp_code ?? match.icmpv6_code;
    return icmpPorts(type === undefined ? null : Number(type), code === undefined ? null : Number(code));
  }
  const text = match.tp_dst ?? match.tcp_dst ?? match.udp_dst ?? match.sctp_dst;
  return text === undefined ? EVERY_PORT : rangeOf(text);
}

export function icmpPorts(type: number | null, code: number | null): Ports {
  if (type === null) return EVERY_PORT;
  const low = type * 256;
  return code === null ? { from: low, to: low + 255 } : { from: low + code, to: low + code };
}

/** The flows of the port's rules table that let something through that is not a reply. */
export function letThrough(
  mine: readonly Flow[],
  direction: Direction,
  family: Family,
  ofport: number,
): readonly Let[] {
  return mine.flatMap((flow) => {
    if (flow.table !== RULES[direction] || !passes(flow, direction, ofport)) return [];
    const read = readFlow(flow, direction);
    return read?.family === family ? [read.let] : [];
  });
}

const passes = (flow: Flow, direction: Direction, ofport: number): boolean =>
  direction === 'ingress' ? outputsTo(flow, ofport) || /NORMAL/i.test(flow.actions) : goesTo(flow, ACCEPT_OR_INGRESS);

export function readFlow(flow: Flow, direction: Direction): { readonly family: Family; readonly let: Let } | undefined {
  const state = stateOf(flow);
  const about = protocolOfFlow(flow);
  if (!state || !about) return undefined;
  const ports = portsOfFlow(flow, about.protocol);
  if (!ports) return undefined;
  const { match } = flow;
  const remote = direction === 'ingress' ? (match.nw_src ?? match.ipv6_src) : (match.nw_dst ?? match.ipv6_dst);
  const conjunction = match.conj_id === undefined ? undefined : Number(match.conj_id);
  const lets: Let = { flow, direction, state, protocol: about.protocol, remote, ports: [ports], conjunction };
  return { family: about.family, let: lets };
}

/** `+new-est` and `+est-rel-rpl`, whatever order and `+trk` the release prints; undefined for replies and the rest. */
function stateOf(flow: Flow): Let['state'] | undefined {
  const flags = new Set(flow.match.ct_state?.match(/[+-][a-z]+/g) ?? []);
  if (flags.has('+new') && !flags.has('+est')) return NEW;
  return flags.has('+est') && flags.has('-rpl') ? ESTABLISHED : undefined;
}
