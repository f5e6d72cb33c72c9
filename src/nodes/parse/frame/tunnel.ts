import { present } from '../parsing.ts';
import type { GeneveLayer } from './layer.ts';
import { after, type Content, head, isStop, type Span, type Step, uint24At, unknown } from './span.ts';

/** Transparent Ethernet bridging: the EtherType of a whole frame. */
const ETHERNET = 0x6558;

function carried(type: number): Content {
  return type === ETHERNET ? { kind: 'ethernet' } : { kind: 'ethertype', type };
}

/** RFC 7348. */
export function readVxlan(span: Span): Step {
  const header = head(span, 8, 'VXLAN');
  if (isStop(header)) return header;
  if ((header.getUint8(0) & 0x08) === 0) return unknown('VXLAN without a valid VNI');
  return { layer: { layer: 'vxlan', vni: uint24At(header, 4) }, rest: after(span, 8), next: { kind: 'ethernet' } };
}

/** RFC 8926. */
export function readGeneve(span: Span): Step {
  const start = head(span, 8, 'Geneve');
  if (isStop(start)) return start;
  if (start.getUint8(0) >> 6 !== 0) return unknown('Geneve of another version than 0');
  const optionsLength = (start.getUint8(0) & 0x3f) * 4;
  const header = head(span, 8 + optionsLength, 'Geneve');
  if (isStop(header)) return header;
  const protocol = header.getUint16(2);
  return {
    layer: present({
      layer: 'geneve',
      vni: uint24At(header, 4),
      protocol,
      optionsLength,
      logicalPorts: logicalPortsIn(header),
    } as const),
    rest: after(span, 8 + optionsLength),
    next: carried(protocol),
  };
}

/** Class and type of OVN's option: a reserved bit, 15 bits of the ingress port's key, 16 of the egress port's (ovn-architecture(7), Tunnel Encapsulations). */
const OVN_CLASS = 0x0102;
const OVN_TYPE = 0x80;

/** Options follow one another: class, type, length in words of four bytes without these first four (RFC 8926, 3.5). */
function logicalPortsIn(header: DataView): GeneveLayer['logicalPorts'] {
  let at = 8;
  while (at + 4 <= header.byteLength) {
    const length = (header.getUint8(at + 3) & 0x1f) * 4;
    const known = header.getUint16(at) === OVN_CLASS && header.getUint8(at + 2) === OVN_TYPE;
    if (known && length === 4 && at + 8 <= header.byteLength) {
      return { ingress: header.getUint16(at + 4) & 0x7fff, egress: header.getUint16(at + 6) };
    }
    at += 4 + length;
  }
  return undefined;
}

const CHECKSUM = 0x8000;
const ROUTING = 0x4000;
const KEY = 0x2000;
const SEQUENCE = 0x1000;

/** RFC 2784, RFC 2890. */
export function readGre(span: Span): Step {
  const start = head(span, 4, 'GRE');
  if (isStop(start)) return start;
  const flags = start.getUint16(0);
  if ((flags & 0x7) !== 0) return unknown('GRE of another version than 0');
  if ((flags & ROUTING) !== 0) return unknown('GRE with a source route');
  const keyAt = 4 + (flags & CHECKSUM ? 4 : 0);
  const sequenceAt = keyAt + (flags & KEY ? 4 : 0);
  const length = sequenceAt + (flags & SEQUENCE ? 4 : 0);
  const header = head(span, length, 'GRE');
  if (isStop(header)) return header;
  const protocol = header.getUint16(2);
  return {
    layer: present({
      layer: 'gre',
      protocol,
      key: flags & KEY ? header.getUint32(keyAt) : undefined,
      sequence: flags & SEQUENCE ? header.getUint32(sequenceAt) : undefined,
    } as const),
    rest: after(span, length),
    next: carried(protocol),
  };
}
