import { decodeFrame } from '../../nodes/parse/frame/decode.ts';
import type { Layer } from '../../nodes/parse/frame/layer.ts';
import type { Packet } from '../../path/firewall/packet.ts';
import { discoverFrame, echoFrame, resetFrame, synFrame } from '../../path/trace/craft.ts';
import type { PlannedLeg } from './leg.ts';
import { markOf, sourcePortOf, transactionOf } from './mark.ts';

/** The nth packet that is put in at the port of an instance, as hexadecimal digits; undefined where nothing is put in. */
export const frameOf = (planned: PlannedLeg, nth: number, round: string): string | undefined =>
  crafted(planned, nth, round, synFrame);

/** What ends the nth connection that was opened so. */
export const resetOf = (planned: PlannedLeg, nth: number, round: string): string | undefined =>
  planned.injected?.resets === true ? crafted(planned, nth, round, resetFrame) : undefined;

function crafted(planned: PlannedLeg, nth: number, round: string, segment: typeof synFrame): string | undefined {
  const { injected, leg } = planned;
  if (injected === undefined) return undefined;
  const { probe } = leg;
  const where = {
    sourceMac: injected.sourceMac,
    destinationMac: injected.destinationMac,
    source: probe.from,
    destination: probe.to,
  };
  const mark = markOf(planned);
  switch (probe.protocol) {
    case 'icmp':
      return echoFrame({ ...where, id: Buffer.from(mark).readUInt16BE(0), sequence: nth, mark });
    case 'tcp':
      return segment(where, {
        sourcePort: sourcePortOf(planned, nth, round),
        destinationPort: probe.port ?? 0,
        sequence: ((probe.initial ?? 0) + nth - 1) >>> 0,
      });
    case 'dhcp':
      return discoverFrame(injected.sourceMac, transactionOf(planned, nth));
    case 'udp':
    case 'arp':
      return undefined;
  }
}

const ethernet = 1;

/** The headers of what is put in, as a capture of it would show them. */
export function putIn(planned: PlannedLeg): readonly Layer[] | undefined {
  const frame = frameOf(planned, 1, 'trace');
  return frame === undefined ? undefined : decodeFrame(ethernet, Buffer.from(frame, 'hex')).layers;
}

/** The innermost packet of what was captured, in the words in which rules are asked about it. */
export const packetOf = (layers: readonly Layer[]): Packet | undefined => {
  const ip = layers.findLast((l) => l.layer === 'ipv4' || l.layer === 'ipv6');
  if (ip?.layer !== 'ipv4' && ip?.layer !== 'ipv6') return undefined;
  const ethernet = layers.findLast((l) => l.layer === 'ethernet');
  const inner = layers.findLast((l) => l.layer !== 'dhcp');
  const protocol = inner?.layer === 'icmpv6' ? 'icmp' : inner?.layer;
  if (protocol !== 'icmp' && protocol !== 'tcp' && protocol !== 'udp') return undefined;
  return {
    family: ip.layer === 'ipv4' ? 4 : 6,
    protocol,
    source: ip.source,
    destination: ip.destination,
    ...(ethernet?.layer === 'ethernet' ? { sourceMac: ethernet.source, destinationMac: ethernet.destination } : {}),
    ...(inner?.layer === 'icmp' || inner?.layer === 'icmpv6' ? { icmpType: inner.type } : {}),
    ...(inner?.layer === 'tcp' || inner?.layer === 'udp'
      ? { sourcePort: inner.sourcePort, destinationPort: inner.destinationPort }
      : {}),
  };
};
