import { macAt } from './address.ts';
import { after, bounded, head, isStop, type Span, type Step } from './span.ts';

/** Below this an EtherType is the length of an IEEE 802.3 frame. */
export const FIRST_ETHERTYPE = 0x600;
export const TAGS: ReadonlySet<number> = new Set([0x8100, 0x88a8, 0x9100]);

export function readEthernet(span: Span): Step {
  const header = head(span, 14, 'Ethernet');
  if (isStop(header)) return header;
  const type = header.getUint16(12);
  return {
    layer: { layer: 'ethernet', source: macAt(header, 6), destination: macAt(header, 0), type },
    rest: withinLength(after(span, 14), type),
    next: { kind: 'ethertype', type },
  };
}

/** `tpid`: the EtherType that announced the tag. */
export function readVlan(span: Span, tpid: number): Step {
  const header = head(span, 4, '802.1Q tag');
  if (isStop(header)) return header;
  const control = header.getUint16(0);
  const type = header.getUint16(2);
  return {
    layer: { layer: 'vlan', id: control & 0xfff, priority: control >> 13, tpid, type },
    rest: withinLength(after(span, 4), type),
    next: { kind: 'ethertype', type },
  };
}

function withinLength(span: Span, type: number): Span {
  return type < FIRST_ETHERTYPE ? bounded(span, type) : span;
}
