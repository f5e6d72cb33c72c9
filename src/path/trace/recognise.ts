import type { Decoded } from '../../nodes/parse/frame/decode.ts';
import type { Layer } from '../../nodes/parse/frame/layer.ts';
import { sameAddress } from '../addresses.ts';
import type { Probe, Way } from './observation.ts';

/** A packet of the probe: which way it goes, and what tells it from its siblings at every point. */
export interface Recognised {
  readonly way: Way;
  /** Number of the packet where the packet says it; else what stays the same on its whole way (TCP's initial sequence number). */
  readonly identity: number;
  /** Resolution beside the probe: who-has and its answer have no number. */
  readonly resolution: boolean;
}

/** ping(8) writes the time into the first 16 bytes of the payload, and the pattern into the rest. */
const timestamp = 16;

const bears = (payload: Uint8Array, mark: Uint8Array, from: number): boolean => {
  const seen = payload.subarray(from);
  return seen.length >= 4 && seen.every((byte, at) => byte === mark[at % mark.length]);
};

const last = <K extends Layer['layer']>(layers: readonly Layer[], kind: K): Extract<Layer, { layer: K }> | undefined =>
  layers.findLast((layer): layer is Extract<Layer, { layer: K }> => layer.layer === kind);

/** Whether it goes from the sender, as far as its address is known, to the answering end; or from there to it. */
function wayOf(layers: readonly Layer[], probe: Probe, addresses: readonly string[]): Way | undefined {
  const ip = layers.findLast((l) => l.layer === 'ipv4' || l.layer === 'ipv6');
  if (ip === undefined) return undefined;
  const far = (address: string): boolean => addresses.some((a) => sameAddress(a, address));
  const near = (address: string): boolean => probe.from === '' || sameAddress(address, probe.from);
  if (far(ip.destination) && near(ip.source)) return 'there';
  return far(ip.source) && near(ip.destination) ? 'back' : undefined;
}

/** Where we chose the initial sequence number ourselves it tells the connection's number, and that it is no other client's. */
function ownConnection(way: Way, sequence: number, { initial, count }: Probe): Recognised | undefined {
  if (initial === undefined) return { way, identity: sequence, resolution: false };
  const nth = (sequence - initial) >>> 0;
  return nth < count ? { way, identity: nth + 1, resolution: false } : undefined;
}

/** Answers quote what they are about; only the packet's own headers count. */
function numbered(
  { layers, payload }: Decoded,
  probe: Probe,
  mark: Uint8Array,
  addresses: readonly string[],
): Recognised | undefined {
  const inner = layers.at(-1);
  switch (probe.protocol) {
    case 'icmp': {
      if (inner?.layer !== 'icmp' && inner?.layer !== 'icmpv6') return undefined;
      const [request, reply] = inner.layer === 'icmp' ? [8, 0] : [128, 129];
      if (inner.type !== request && inner.type !== reply) return undefined;
      if (inner.sequence === undefined || !bears(payload, mark, timestamp)) return undefined;
      return { way: inner.type === request ? 'there' : 'back', identity: inner.sequence, resolution: false };
    }
    case 'tcp': {
      const segment = last(layers, 'tcp');
      const flags = segment?.flags ?? [];
      if (segment === undefined || segment !== inner) return undefined;
      // Connections bear no mark: those of the instance itself, and of whom else it serves, are told apart by who speaks.
      const way = wayOf(layers, probe, addresses);
      if (
        way === 'there' &&
        segment.destinationPort === probe.port &&
        flags.includes('syn') &&
        !flags.includes('ack')
      ) {
        return ownConnection('there', segment.seq, probe);
      }
      // A refusal of SYN has the number 0 (RFC 9293, 3.10.7.1); a reset of what was open has another.
      const answers = flags.includes('ack') && (flags.includes('syn') || (flags.includes('rst') && segment.seq === 0));
      if (way !== 'back' || segment.sourcePort !== probe.port || !answers || segment.ack === undefined)
        return undefined;
      return ownConnection('back', (segment.ack - 1) >>> 0, probe);
    }
    case 'udp': {
      const datagram = last(layers, 'udp');
      if (datagram === undefined || datagram !== inner || datagram.destinationPort !== probe.port) return undefined;
      const number = payload[mark.length];
      if (number === undefined || !mark.every((byte, at) => payload[at] === byte)) return undefined;
      return { way: 'there', identity: number, resolution: false };
    }
    case 'dhcp': {
      const lease = leaseIn(layers, payload);
      if (
        lease === undefined ||
        !mark.subarray(0, 3).every((byte, at) => byte === ((lease.transaction >>> (24 - 8 * at)) & 0xff))
      )
        return undefined;
      // Of several servers that answer, only the one that this stretch leads to; see `offersIn` for the others.
      const server = last(layers, 'ipv4')?.source ?? '';
      if (!lease.asks && !addresses.some((a) => sameAddress(a, server))) return undefined;
      return { way: lease.asks ? 'there' : 'back', identity: lease.transaction & 0xff, resolution: false };
    }
    case 'arp':
      return undefined;
  }
}

/**
 * A BOOTP message. What is sent to a server from another port than a client's is not decoded as one, for it is seldom: its header is
 * operation, three bytes, transaction (RFC 951).
 */
function leaseIn(
  layers: readonly Layer[],
  payload: Uint8Array,
): { readonly asks: boolean; readonly transaction: number } | undefined {
  const lease = last(layers, 'dhcp');
  if (lease !== undefined) return { asks: lease.operation === 'request', transaction: lease.transaction };
  const inner = layers.at(-1);
  if (inner?.layer !== 'udp' || inner.destinationPort !== 67 || payload.length < 8 || payload[0] !== 1)
    return undefined;
  return { asks: true, transaction: Buffer.from(payload).readUInt32BE(4) };
}

/**
 * An ICMP error about a packet of the probe, from whoever would not have it. It quotes the packet's headers (RFC 792: of TCP and ICMP
 * the first eight bytes), which tell its number, and not its mark.
 */
function refused({ layers }: Decoded, probe: Probe, addresses: readonly string[]): Recognised | undefined {
  const error = layers.at(-1);
  if (error?.layer !== 'icmp' && error?.layer !== 'icmpv6') return undefined;
  const quoted = error.quoted ?? [];
  const inner = quoted.at(-1);
  if (wayOf(quoted, probe, addresses) !== 'there') return undefined;
  if (probe.protocol === 'icmp' && (inner?.layer === 'icmp' || inner?.layer === 'icmpv6')) {
    const asks = inner.type === (inner.layer === 'icmp' ? 8 : 128);
    return asks && inner.sequence !== undefined
      ? { way: 'back', identity: inner.sequence, resolution: false }
      : undefined;
  }
  if (probe.protocol === 'tcp' && inner?.layer === 'tcp' && inner.destinationPort === probe.port) {
    return ownConnection('back', inner.seq, probe);
  }
  return undefined;
}

/** Who-has between the two ends, and what answers it, in the direction in which it travels. */
function resolution({ layers }: Decoded, probe: Probe, addresses: readonly string[]): Way | undefined {
  const far = (address: string): boolean => addresses.some((a) => sameAddress(a, address));
  const asked = last(layers, 'arp');
  if (asked !== undefined) {
    const near = asked.operation === 'request' ? asked.sender : asked.target;
    const wanted = asked.operation === 'request' ? asked.target : asked.sender;
    if (far(wanted) && sameAddress(near, probe.from)) return asked.operation === 'request' ? 'there' : 'back';
    if (far(near) && sameAddress(wanted, probe.from)) return asked.operation === 'request' ? 'back' : 'there';
    return undefined;
  }
  const neighbour = last(layers, 'icmpv6');
  const from = last(layers, 'ipv6')?.source;
  if (neighbour?.target === undefined || from === undefined || (neighbour.type !== 135 && neighbour.type !== 136))
    return undefined;
  if (far(neighbour.target)) return neighbour.type === 135 ? 'there' : 'back';
  return sameAddress(neighbour.target, probe.from) ? (neighbour.type === 135 ? 'back' : 'there') : undefined;
}

/**
 * Recognises a packet of the probe wherever it was seen: after translation and in any tunnel. Of a probe that is ARP itself, and of the
 * resolution beside another one, only the direction is known.
 *
 * @param addresses of the answering end: as it is called, and as it is after translation
 */
export function recognise(
  decoded: Decoded,
  probe: Probe,
  mark: Uint8Array,
  addresses: readonly string[],
): Recognised | undefined {
  const found = numbered(decoded, probe, mark, addresses) ?? refused(decoded, probe, addresses);
  if (found !== undefined) return found;
  const way = resolution(decoded, probe, addresses);
  return way === undefined ? undefined : { way, identity: 0, resolution: true };
}
