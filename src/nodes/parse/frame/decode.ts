import { unreachable } from '../../../engine/result.ts';
import { readArp } from './arp.ts';
import { readCooked, readCooked2 } from './cooked.ts';
import { readDhcp } from './dhcp.ts';
import { FIRST_ETHERTYPE, readEthernet, readVlan, TAGS } from './ethernet.ts';
import { readIcmp, readIcmpv6 } from './icmp.ts';
import { readIp, readIpv4, readIpv6 } from './ip.ts';
import type { Layer } from './layer.ts';
import { type Content, capturedOf, type Part, type Span, type Step, type Stop, unknown } from './span.ts';
import { readTcp, readUdp } from './transport.ts';
import { readGeneve, readGre, readVxlan } from './tunnel.ts';

export interface Decoded {
  /** Outermost first; those inside tunnels follow the tunnel's. */
  readonly layers: readonly Layer[];
  /** What was captured behind the last layer, without Ethernet's padding. */
  readonly payload: Uint8Array;
  /** The headers speak of more bytes than were captured. */
  readonly cut: boolean;
}

/** Headers in a frame, far more than any real tunnel in a tunnel has. */
const DEEPEST = 64;

/**
 * Decodes one captured frame, through VLAN tags and VXLAN, GRE and Geneve tunnels, as far as its headers were captured
 * as a whole. Never throws, whatever the bytes.
 *
 * @param linkType of the capture: Ethernet (1), raw IP (12, 101), Linux cooked (113, 276)
 */
export function decodeFrame(linkType: number, bytes: Uint8Array): Decoded {
  const span: Span = { bytes, start: 0, end: Number.POSITIVE_INFINITY, quoted: false };
  const { layers, rest, cut } = walk((whole) => readLink(linkType, whole), span);
  return { layers, payload: capturedOf(rest), cut };
}

interface Walked {
  readonly layers: readonly Layer[];
  readonly rest: Span;
  readonly cut: boolean;
}

function walk(first: (span: Span) => Step, whole: Span): Walked {
  const layers: Layer[] = [];
  let rest = whole;
  let cut = false;
  let step = first(whole);
  for (;;) {
    if ('stop' in step) {
      const layer = unknownLayer(step, rest);
      if (layer !== undefined) layers.push(layer);
      return { layers, rest, cut: cut || step.stop === 'cut' };
    }
    layers.push(step.quote === undefined ? step.layer : withQuoted(step.layer, step.quote));
    rest = step.rest;
    cut ||= Number.isFinite(rest.end) && rest.end > rest.bytes.length;
    if (step.next === undefined) return { layers, rest, cut };
    step = layers.length < DEEPEST ? read(step.next, rest) : unknown('too many headers');
  }
}

/** Nothing is said of a header that was cut, nor of one where a quote ends. */
function unknownLayer(stop: Stop, span: Span): Layer | undefined {
  switch (stop.stop) {
    case 'cut':
      return undefined;
    case 'short':
      return span.quoted ? undefined : { layer: 'unknown', what: `short ${stop.what}` };
    case 'unknown':
      return { layer: 'unknown', what: stop.what };
    default:
      return unreachable(stop.stop);
  }
}

function withQuoted(layer: Layer, quote: Part): Layer {
  if (layer.layer !== 'icmp' && layer.layer !== 'icmpv6') return layer;
  const { layers } = walk((span) => read(quote.content, span), quote.span);
  return layers.length === 0 ? layer : { ...layer, quoted: layers };
}

/** LINKTYPE_ numbers; 12 is what Linux's libpcap writes for raw IP of some devices (DLT_RAW). */
function readLink(linkType: number, span: Span): Step {
  switch (linkType) {
    case 1:
      return readEthernet(span);
    case 12:
    case 101:
      return readIp(span);
    case 113:
      return readCooked(span);
    case 276:
      return readCooked2(span);
    default:
      return unknown(`link type ${linkType}`);
  }
}

function read(content: Content, span: Span): Step {
  switch (content.kind) {
    case 'ethernet':
      return readEthernet(span);
    case 'ip':
      return readIp(span);
    case 'ethertype':
      return readType(content.type, span);
    case 'protocol':
      return readProtocol(content.protocol, span);
    case 'dhcp':
      return readDhcp(span);
    case 'vxlan':
      return readVxlan(span);
    case 'geneve':
      return readGeneve(span);
    default:
      return unreachable(content);
  }
}

function readType(type: number, span: Span): Step {
  if (TAGS.has(type)) return readVlan(span, type);
  switch (type) {
    case 0x0800:
      return readIpv4(span);
    case 0x0806:
      return readArp(span);
    case 0x86dd:
      return readIpv6(span);
    default:
      return unknown(type < FIRST_ETHERTYPE ? 'IEEE 802.3 frame' : `EtherType 0x${type.toString(16).padStart(4, '0')}`);
  }
}

function readProtocol(protocol: number, span: Span): Step {
  switch (protocol) {
    case 1:
      return readIcmp(span);
    case 4:
      return readIpv4(span);
    case 6:
      return readTcp(span);
    case 17:
      return readUdp(span);
    case 41:
      return readIpv6(span);
    case 47:
      return readGre(span);
    case 58:
      return readIcmpv6(span);
    default:
      return unknown(`IP protocol ${protocol}`);
  }
}
