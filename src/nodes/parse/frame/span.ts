import type { Layer } from './layer.ts';

/** A part of a captured frame. */
export interface Span {
  /** The whole frame as far as it was captured. */
  readonly bytes: Uint8Array;
  readonly start: number;
  /**
   * Where the part ends by what the headers say: perhaps beyond what was captured. Infinite while no header has said
   * it, for Ethernet does not.
   */
  readonly end: number;
  /** The part is what an ICMP error quotes, which may end anywhere. */
  readonly quoted: boolean;
}

/** What a span holds, by the header before it. */
export type Content =
  | { readonly kind: 'ethernet' }
  | { readonly kind: 'ip' }
  | { readonly kind: 'ethertype'; readonly type: number }
  | { readonly kind: 'protocol'; readonly protocol: number }
  | { readonly kind: 'dhcp' | 'vxlan' | 'geneve' };

export interface Part {
  readonly content: Content;
  readonly span: Span;
}

/** One header read, what lies behind it, and what that is, unless it is payload. */
export interface Read {
  readonly layer: Layer;
  readonly rest: Span;
  readonly next?: Content;
  /** What an ICMP error quotes; the layer gets it as `quoted`. */
  readonly quote?: Part;
}

/**
 * Why a header was not read: it was not captured as a whole (`cut`), its container is too short for it (`short`), or it
 * is none that we know or contradicts itself.
 */
export interface Stop {
  readonly stop: 'cut' | 'short' | 'unknown';
  readonly what: string;
}

export type Step = Read | Stop;

export function unknown(what: string): Stop {
  return { stop: 'unknown', what };
}

/** The first `length` bytes of a span, and no others, if they are there. */
export function head(span: Span, length: number, what: string): DataView | Stop {
  if (span.start + length > span.end) return { stop: 'short', what };
  if (span.start + length > span.bytes.length) return { stop: 'cut', what };
  return new DataView(span.bytes.buffer, span.bytes.byteOffset + span.start, length);
}

export function isStop(header: DataView | Step): header is Stop {
  return 'stop' in header;
}

/** The span without its first `length` bytes. */
export function after(span: Span, length: number): Span {
  return { ...span, start: span.start + length };
}

/** The span as a header says that it ends: `length` bytes from its start, but never beyond its container. */
export function bounded(span: Span, length: number): Span {
  return { ...span, end: Math.min(span.end, span.start + length) };
}

/** The bytes of a span that were captured. */
export function capturedOf(span: Span): Uint8Array {
  const end = Math.min(span.end, span.bytes.length);
  return span.bytes.subarray(Math.min(span.start, end), end);
}

export function uint24At(view: DataView, at: number): number {
  return (view.getUint16(at) << 8) | view.getUint8(at + 2);
}
