import { present } from '../parsing.ts';
import { ipv4At, macAt } from './address.ts';
import type { DhcpLayer, DhcpMessage } from './layer.ts';
import { after, bounded, head, isStop, type Span, type Step, type Stop, unknown } from './span.ts';

/** The BOOTP header (RFC 951) and the magic cookie of RFC 2131. */
const HEADER = 240;
const COOKIE = 0x63825363;
/** RFC 2132, option 53. */
const MESSAGES: readonly (DhcpMessage | undefined)[] = [
  undefined,
  'discover',
  'offer',
  'request',
  'decline',
  'ack',
  'nak',
  'release',
  'inform',
];

/** RFC 2131, RFC 2132: given when its options are whole. */
export function readDhcp(span: Span): Step {
  const header = head(span, HEADER, 'DHCP');
  if (isStop(header)) return header;
  if (header.getUint32(236) !== COOKIE) return unknown('BOOTP without DHCP options');
  if (header.getUint16(1) !== 0x0106) return unknown('DHCP that is not for Ethernet');
  const options = readOptions(after(span, HEADER));
  if ('stop' in options) return options;
  return {
    layer: present({
      layer: 'dhcp',
      operation: operationOf(header.getUint8(0)),
      transaction: header.getUint32(4),
      type: messageOf(numberOption(options, 53)),
      clientMac: macAt(header, 28),
      clientAddress: given(ipv4At(header, 12)),
      yourAddress: given(ipv4At(header, 16)),
      relay: given(ipv4At(header, 24)),
      requestedAddress: addressOption(options, 50),
      serverId: addressOption(options, 54),
      netmask: addressOption(options, 1),
      router: addressOption(options, 3),
      nameServers: addressesOption(options, 6),
      routes: routesOption(options, 121),
      mtu: numberOption(options, 26),
      leaseSeconds: numberOption(options, 51),
    } as const),
    rest: bounded(after(span, HEADER), 0),
  };
}

function operationOf(operation: number): DhcpLayer['operation'] {
  if (operation === 1) return 'request';
  return operation === 2 ? 'reply' : operation;
}

function messageOf(type: number | undefined): DhcpLayer['type'] | undefined {
  return type === undefined ? undefined : (MESSAGES[type] ?? type);
}

function given(address: string): string | undefined {
  return address === '0.0.0.0' ? undefined : address;
}

type Options = ReadonlyMap<number, DataView>;

const PAD = 0;
const END = 255;

/** The first of each option, up to the end option or the end of the datagram. */
function readOptions(span: Span): Options | Stop {
  const options = new Map<number, DataView>();
  let rest = span;
  while (rest.start < rest.end) {
    const start = head(rest, 1, 'DHCP options');
    if (isStop(start)) return start;
    const kind = start.getUint8(0);
    if (kind === END) break;
    if (kind === PAD) {
      rest = after(rest, 1);
      continue;
    }
    const withLength = head(rest, 2, 'DHCP options');
    if (isStop(withLength)) return withLength;
    const length = withLength.getUint8(1);
    const option = head(after(rest, 2), length, 'DHCP options');
    if (isStop(option)) return option;
    if (!options.has(kind)) options.set(kind, option);
    rest = after(rest, 2 + length);
  }
  return options;
}

function addressOption(options: Options, kind: number): string | undefined {
  const option = options.get(kind);
  return option !== undefined && option.byteLength >= 4 ? ipv4At(option, 0) : undefined;
}

function addressesOption(options: Options, kind: number): readonly string[] | undefined {
  const option = options.get(kind);
  if (option === undefined || option.byteLength < 4) return undefined;
  return Array.from({ length: Math.floor(option.byteLength / 4) }, (_, nth) => ipv4At(option, nth * 4));
}

/** RFC 3442: a prefix length, as many bytes of the prefix as it covers, the router. What is cut off at the end is left out. */
function routesOption(options: Options, kind: number): readonly string[] | undefined {
  const option = options.get(kind);
  if (option === undefined) return undefined;
  const routes: string[] = [];
  let at = 0;
  while (at < option.byteLength) {
    const prefix = option.getUint8(at);
    const bytes = Math.ceil(prefix / 8);
    if (prefix > 32 || at + 1 + bytes + 4 > option.byteLength) break;
    const network = Array.from({ length: 4 }, (_, nth) => (nth < bytes ? option.getUint8(at + 1 + nth) : 0));
    routes.push(`${network.join('.')}/${prefix} via ${ipv4At(option, at + 1 + bytes)}`);
    at += 1 + bytes + 4;
  }
  return routes;
}

function numberOption(options: Options, kind: number): number | undefined {
  const option = options.get(kind);
  switch (option?.byteLength) {
    case 1:
      return option.getUint8(0);
    case 2:
      return option.getUint16(0);
    case 4:
      return option.getUint32(0);
    default:
      return undefined;
  }
}
