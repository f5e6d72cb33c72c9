import type { Leg } from './observation.ts';
import type { Packets } from './packets.ts';

type Seen = Packets['there'][number];

interface Measured {
  readonly from: string;
  readonly to: string;
  /** ns that the second host's clock is ahead of the first one's, and the round trip it was measured over. */
  readonly ahead: bigint;
  readonly delay: bigint;
}

/**
 * By how many ns each host's clock is ahead of the sender's, told from the packets themselves as NTP does (RFC 5905,
 * section 8): the quickest packet each way between two points of two hosts, half of the difference. Right as far as
 * both ways are equally quick, wrong by at most half the round trip. A host between which and the others packets were
 * seen one way only is not in the map. Where nothing was seen at the sender's host, the first host of the path that saw
 * anything stands for it. The host that the others are compared with is the first in the map.
 */
export function clockOffsets({ points, sender, probe }: Leg, { there, back }: Packets): ReadonlyMap<string, bigint> {
  const counted = probe.protocol === 'arp';
  const measured: Measured[] = [];
  points.forEach((near, i) => {
    points.forEach((far, j) => {
      if (j <= i || near.host === far.host) return;
      const out = least(transits(there[i], there[j], counted));
      const home = least(transits(back[j], back[i], counted));
      if (out === undefined || home === undefined) return;
      measured.push({ from: near.host, to: far.host, ahead: (out - home) / 2n, delay: out + home });
    });
  });
  const seen = new Set(points.flatMap((p, i) => ((there[i]?.size ?? 0) + (back[i]?.size ?? 0) > 0 ? [p.host] : [])));
  const [first] = seen;
  if (first === undefined) return new Map();
  return spread(seen.has(sender.host) ? sender.host : first, measured);
}

/**
 * How long each packet took that was seen at both points, by their own clocks. Packets that are only counted (ARP) are
 * the same ones where both saw equally many.
 */
export function transits(from: Seen | undefined, to: Seen | undefined, counted: boolean): bigint[] {
  if (from === undefined || to === undefined || (counted && from.size !== to.size)) return [];
  return [...from].flatMap(([n, { at }]) => {
    const arrival = to.get(n);
    return arrival === undefined ? [] : [arrival.at - at];
  });
}

const least = (times: readonly bigint[]): bigint | undefined =>
  times.reduce<bigint | undefined>((min, t) => (min === undefined || t < min ? t : min), undefined);

/** From host to host by the measurements with the least delay: each adds at most half of it as an error. */
function spread(root: string, measured: readonly Measured[]): ReadonlyMap<string, bigint> {
  const offsets = new Map([[root, 0n]]);
  const delays = new Map([[root, 0n]]);
  const steps = measured.flatMap((m) => [m, { from: m.to, to: m.from, ahead: -m.ahead, delay: m.delay }]);
  for (;;) {
    let best: { readonly to: string; readonly offset: bigint; readonly delay: bigint } | undefined;
    for (const { from, to, ahead, delay } of steps) {
      const offset = offsets.get(from);
      if (offset === undefined || offsets.has(to)) continue;
      const total = (delays.get(from) ?? 0n) + delay;
      if (best === undefined || total < best.delay) best = { to, offset: offset + ahead, delay: total };
    }
    if (best === undefined) return offsets;
    offsets.set(best.to, best.offset);
    delays.set(best.to, best.delay);
  }
}

export function median(values: readonly bigint[]): bigint | undefined {
  const sorted = [...values].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle];
  if (upper === undefined || sorted.length % 2 === 1) return upper;
  return ((sorted[middle - 1] ?? upper) + upper) / 2n;
}
