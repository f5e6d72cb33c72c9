import { present } from '../parsing.ts';
import { macAt } from './address.ts';
import type { CookedLayer } from './layer.ts';
import { after, head, isStop, type Span, type Step } from './span.ts';

/** PACKET_HOST … PACKET_OUTGOING of linux/if_packet.h. */
const DIRECTIONS = ['host', 'broadcast', 'multicast', 'other', 'outgoing'] as const;

/** https://www.tcpdump.org/linktypes/LINKTYPE_LINUX_SLL.html */
export function readCooked(span: Span): Step {
  const header = head(span, 16, 'Linux cooked header');
  if (isStop(header)) return header;
  const layer = cooked(header.getUint16(0), sourceAt(header, header.getUint16(4), 6), header.getUint16(14), undefined);
  return { layer, rest: after(span, 16), next: { kind: 'ethertype', type: layer.type } };
}

/** https://www.tcpdump.org/linktypes/LINKTYPE_LINUX_SLL2.html */
export function readCooked2(span: Span): Step {
  const header = head(span, 20, 'Linux cooked header');
  if (isStop(header)) return header;
  const source = sourceAt(header, header.getUint8(11), 12);
  const layer = cooked(header.getUint8(10), source, header.getUint16(0), header.getUint32(4));
  return { layer, rest: after(span, 20), next: { kind: 'ethertype', type: layer.type } };
}

function cooked(kind: number, source: string | undefined, type: number, index: number | undefined): CookedLayer {
  return present({ layer: 'cooked', direction: DIRECTIONS[kind] ?? kind, source, type, interfaceIndex: index });
}

function sourceAt(header: DataView, length: number, at: number): string | undefined {
  return length === 6 ? macAt(header, at) : undefined;
}
