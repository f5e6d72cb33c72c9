import { present } from '../parsing.ts';
import { ipv4At, ipv6At } from './address.ts';
import type { Ipv6Layer } from './layer.ts';
import { after, bounded, head, isStop, type Span, type Step, type Stop, unknown } from './span.ts';

/** Whichever version the first four bits tell. */
export function readIp(span: Span): Step {
  const first = head(span, 1, 'IP');
  if (isStop(first)) return first;
  switch (first.getUint8(0) >> 4) {
    case 4:
      return readIpv4(span);
    case 6:
      return readIpv6(span);
    default:
      return unknown('IP of another version than 4 and 6');
  }
}

/** RFC 791; options are passed over. */
export function readIpv4(span: Span): Step {
  const header = head(span, 20, 'IPv4');
  if (isStop(header)) return header;
  const headerLength = (header.getUint8(0) & 0xf) * 4;
  const totalLength = header.getUint16(2);
  const contradicts = headerLength < 20 || (totalLength !== 0 && totalLength < headerLength);
  if (header.getUint8(0) >> 4 !== 4 || contradicts) return unknown('malformed IPv4');
  const packet = totalLength === 0 ? span : bounded(span, totalLength);
  const whole = head(packet, headerLength, 'IPv4');
  if (isStop(whole)) return whole;
  const fragment = header.getUint16(6);
  const fragmentOffset = (fragment & 0x1fff) * 8;
  const protocol = header.getUint8(9);
  return present({
    layer: {
      layer: 'ipv4',
      source: ipv4At(header, 12),
      destination: ipv4At(header, 16),
      ttl: header.getUint8(8),
      id: header.getUint16(4),
      protocol,
      dscp: header.getUint8(1) >> 2,
      dontFragment: (fragment & 0x4000) !== 0,
      moreFragments: (fragment & 0x2000) !== 0,
      fragmentOffset,
      totalLength,
    } as const,
    rest: after(packet, headerLength),
    next: fragmentOffset === 0 ? ({ kind: 'protocol', protocol } as const) : undefined,
  });
}

/** RFC 8200. */
export function readIpv6(span: Span): Step {
  const header = head(span, 40, 'IPv6');
  if (isStop(header)) return header;
  if (header.getUint8(0) >> 4 !== 6) return unknown('malformed IPv6');
  const nextHeader = header.getUint8(6);
  const payloadLength = header.getUint16(4);
  const packet = payloadLength === 0 && nextHeader !== NO_NEXT_HEADER ? span : bounded(span, 40 + payloadLength);
  const extensions = readExtensions(after(packet, 40), nextHeader);
  if ('stop' in extensions) return extensions;
  const { protocol, fragment, rest } = extensions;
  const payloadOnly = protocol === NO_NEXT_HEADER || (fragment !== undefined && fragment.offset > 0);
  return present({
    layer: present({
      layer: 'ipv6',
      source: ipv6At(header, 8),
      destination: ipv6At(header, 24),
      hopLimit: header.getUint8(7),
      nextHeader,
      protocol,
      dscp: (header.getUint16(0) >> 6) & 0x3f,
      payloadLength,
      fragment,
    } as const),
    rest,
    next: payloadOnly ? undefined : ({ kind: 'protocol', protocol } as const),
  });
}

interface Extensions {
  readonly protocol: number;
  readonly fragment?: NonNullable<Ipv6Layer['fragment']>;
  readonly rest: Span;
}

const NO_NEXT_HEADER = 59;
const FRAGMENT = 44;
const AUTHENTICATION = 51;
/** Hop-by-hop options, routing, destination options, mobility, HIP, shim6: length in units of 8 bytes, less one. */
const EXTENSIONS: ReadonlySet<number> = new Set([0, 43, 60, 135, 139, 140, FRAGMENT, AUTHENTICATION]);

/** Walks the extension headers; behind a fragment that is not the first there is only payload. */
function readExtensions(span: Span, nextHeader: number): Extensions | Stop {
  let protocol = nextHeader;
  let rest = span;
  let fragment: Extensions['fragment'];
  while (EXTENSIONS.has(protocol) && (fragment?.offset ?? 0) === 0) {
    const header = head(rest, 8, 'IPv6 extension header');
    if (isStop(header)) return header;
    const length = extensionLength(protocol, header.getUint8(1));
    const whole = head(rest, length, 'IPv6 extension header');
    if (isStop(whole)) return whole;
    if (protocol === FRAGMENT) {
      const place = header.getUint16(2);
      fragment = { id: header.getUint32(4), offset: place & 0xfff8, moreFragments: (place & 1) !== 0 };
    }
    protocol = header.getUint8(0);
    rest = after(rest, length);
  }
  return present({ protocol, fragment, rest });
}

function extensionLength(protocol: number, length: number): number {
  if (protocol === FRAGMENT) return 8;
  // RFC 4302: in units of 4 bytes, less two.
  return protocol === AUTHENTICATION ? Math.max(8, (length + 2) * 4) : (length + 1) * 8;
}
