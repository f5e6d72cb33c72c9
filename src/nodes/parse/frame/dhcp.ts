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
