import { present } from '../parsing.ts';
import type { TcpFlag } from './layer.ts';
import { after, bounded, type Content, head, isStop, type Span, type Step, unknown } from './span.ts';

const FLAGS: readonly TcpFlag[] = ['fin', 'syn', 'rst', 'psh', 'ack', 'urg', 'ece', 'cwr'];

/** RFC 9293. */
export function readTcp(span: Span): Step {
  const start = head(span, 20, 'TCP');
  if (isStop(start)) return span.quoted ? readQuotedTcp(span) : start;
  const headerLength = (start.getUint8(12) >> 4) * 4;
  if (headerLength < 20) return unknown('malformed TCP');
  const header = head(span, headerLength, 'TCP');
  if (isStop(header)) return span.quoted ? readQuotedTcp(span) : header;
  const bits = header.getUint8(13);
  return {
    layer: present({
      layer: 'tcp',
      sourcePort: header.getUint16(0),
      destinationPort: header.getUint16(2),
      seq: header.getUint32(4),
      ack: header.getUint32(8),
      flags: FLAGS.filter((_, bit) => (bits & (1 << bit)) !== 0),
      window: header.getUint16(14),
      mss: mssOf(header),
    } as const),
    rest: after(span, headerLength),
  };
}

/** What RFC 792 promises: 64 bits of the packet that the error is about. */
function readQuotedTcp(span: Span): Step {
  const header = head(span, 8, 'TCP');
  if (isStop(header)) return header;
  return {
    layer: {
      layer: 'tcp',
      sourcePort: header.getUint16(0),
      destinationPort: header.getUint16(2),
      seq: header.getUint32(4),
    },
    rest: after(span, 8),
  };
}

function mssOf(header: DataView): number | undefined {
  let at = 20;
  while (at + 1 < header.byteLength) {
    const kind = header.getUint8(at);
    if (kind === 0) return undefined;
    if (kind === 1) {
      at += 1;
      continue;
    }
    const length = header.getUint8(at + 1);
    if (kind === 2 && length === 4 && at + 4 <= header.byteLength) return header.getUint16(at + 2);
    if (length < 2) return undefined;
    at += length;
  }
  return undefined;
}

/** RFC 768. */
export function readUdp(span: Span): Step {
  const header = head(span, 8, 'UDP');
  if (isStop(header)) return header;
  const sourcePort = header.getUint16(0);
  const destinationPort = header.getUint16(2);
  const length = header.getUint16(4);
  // 0: a datagram that is longer than the field can say.
  if (length !== 0 && length < 8) return unknown('malformed UDP');
  return present({
    layer: { layer: 'udp', sourcePort, destinationPort, length } as const,
    rest: after(length === 0 ? span : bounded(span, length), 8),
    next: carriedBy(sourcePort, destinationPort),
  });
}

/** Tunnels choose their source port by the flow within; 8472 is the port of kernels before VXLAN had got one. */
function carriedBy(sourcePort: number, destinationPort: number): Content | undefined {
  switch (destinationPort) {
    case 67:
    case 68:
      return sourcePort === 67 || sourcePort === 68 ? { kind: 'dhcp' } : undefined;
    case 4789:
    case 8472:
      return { kind: 'vxlan' };
    case 6081:
      return { kind: 'geneve' };
    default:
      return undefined;
  }
}
