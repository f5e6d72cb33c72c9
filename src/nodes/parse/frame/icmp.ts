import { present } from '../parsing.ts';
import { ipv4At, ipv6At, macAt } from './address.ts';
import { after, bounded, head, isStop, type Part, type Span, type Step, type Stop, unknown } from './span.ts';

const HEADER = 8;

/** Echo reply, echo request, timestamp request, timestamp reply. */
const WITH_SEQUENCE: ReadonlySet<number> = new Set([0, 8, 13, 14]);
/** Unreachable, source quench, redirect, time exceeded, parameter problem. */
const ERRORS: ReadonlySet<number> = new Set([3, 4, 5, 11, 12]);
/** Those that tell how long the quote is, where ICMP extensions follow it (RFC 4884). */
const EXTENSIBLE: ReadonlySet<number> = new Set([3, 11, 12]);

/** RFC 792, RFC 1191, RFC 4884. */
export function readIcmp(span: Span): Step {
  const header = head(span, HEADER, 'ICMP');
  if (isStop(header)) return header;
  const type = header.getUint8(0);
  const code = header.getUint8(1);
  const sequenced = WITH_SEQUENCE.has(type);
  const rest = after(span, HEADER);
  return present({
    layer: present({
      layer: 'icmp',
      type,
      code,
      id: sequenced ? header.getUint16(4) : undefined,
      sequence: sequenced ? header.getUint16(6) : undefined,
      mtu: type === 3 && code === 4 ? header.getUint16(6) : undefined,
      gateway: type === 5 ? ipv4At(header, 4) : undefined,
    } as const),
    rest,
    quote: ERRORS.has(type) ? quoteOf(rest, EXTENSIBLE.has(type) ? header.getUint8(5) * 4 : 0) : undefined,
  });
}

/** Destination unreachable, packet too big, time exceeded, parameter problem. */
const V6_ERRORS: ReadonlySet<number> = new Set([1, 2, 3, 4]);
/** See `EXTENSIBLE`. */
const V6_EXTENSIBLE: ReadonlySet<number> = new Set([1, 3]);
/**
 * Neighbour discovery (RFC 4861): router solicitation and advertisement, neighbour solicitation and advertisement,
 * redirect; and where their options begin.
 */
const OPTIONS_AT: ReadonlyMap<number, number> = new Map([
  [133, 8],
  [134, 16],
  [135, 24],
  [136, 24],
  [137, 40],
]);

/** RFC 4443, RFC 4861, RFC 4884. */
export function readIcmpv6(span: Span): Step {
  const header = head(span, HEADER, 'ICMPv6');
  if (isStop(header)) return header;
  const type = header.getUint8(0);
  const echo = type === 128 || type === 129;
  const optionsAt = OPTIONS_AT.get(type);
  const discovery = optionsAt === undefined ? {} : readDiscovery(span, optionsAt);
  if ('stop' in discovery) return discovery;
  const rest = after(span, HEADER);
  return present({
    layer: present({
      layer: 'icmpv6',
      type,
      code: header.getUint8(1),
      id: echo ? header.getUint16(4) : undefined,
      sequence: echo ? header.getUint16(6) : undefined,
      mtu: type === 2 ? header.getUint32(4) : discovery.mtu,
      target: discovery.target,
      linkAddress: discovery.linkAddress,
    } as const),
    rest,
    quote: V6_ERRORS.has(type) ? quoteOf(rest, V6_EXTENSIBLE.has(type) ? header.getUint8(4) * 8 : 0) : undefined,
  });
}

/** `length`: of the quoted packet; 0 when the whole rest is. */
function quoteOf(rest: Span, length: number): Part | undefined {
  // No error is sent about an error (RFC 1122, 3.2.2): a quote within a quote is somebody's play.
  if (rest.quoted) return undefined;
  const span = length === 0 ? rest : bounded(rest, length);
  return { content: { kind: 'ip' }, span: { ...span, quoted: true } };
}

interface Discovery {
  readonly target?: string;
  readonly linkAddress?: string;
  readonly mtu?: number;
}

const SOURCE_LINK_ADDRESS = 1;
const TARGET_LINK_ADDRESS = 2;
const MTU = 5;

function readDiscovery(span: Span, optionsAt: number): Discovery | Stop {
  const message = head(span, optionsAt, 'neighbour discovery');
  if (isStop(message)) return message;
  let linkAddress: string | undefined;
  let mtu: number | undefined;
  let rest = after(span, optionsAt);
  while (rest.start < rest.end) {
    const start = head(rest, 8, 'neighbour discovery option');
    if (isStop(start)) return start;
    const length = start.getUint8(1) * 8;
    if (length === 0) return unknown('malformed neighbour discovery');
    const option = head(rest, length, 'neighbour discovery option');
    if (isStop(option)) return option;
    const type = option.getUint8(0);
    if (type === SOURCE_LINK_ADDRESS || type === TARGET_LINK_ADDRESS) linkAddress ??= macAt(option, 2);
    if (type === MTU) mtu ??= option.getUint32(4);
    rest = after(rest, length);
  }
  return present({ target: optionsAt >= 24 ? ipv6At(message, 8) : undefined, linkAddress, mtu });
}
