import type { TraceChange, TraceMisfit } from '../../engine/trace.ts';
import { parseAddress } from '../addresses.ts';
import type { Leg, Sighting, Way } from './observation.ts';
import { type Inner, innerOf, type Packets } from './packets.ts';
import type { Point } from './point.ts';

export const ways = ['there', 'back'] as const;

/** Indices of the points in the order in which a packet on this way meets them. */
export const inOrder = (way: Way, points: readonly unknown[]): number[] => {
  const indices = points.map((_, i) => i);
  return way === 'there' ? indices : indices.reverse();
};

/** What was different about a packet from one point at which it was seen to the next, by the first that both saw. */
export function changesOf({ points }: Leg, packets: Packets): TraceChange[] {
  return ways.flatMap((way) => {
    const changes: TraceChange[] = [];
    let after: number | undefined;
    for (const before of inOrder(way, points)) {
      if ((packets[way][before]?.size ?? 0) === 0) continue;
      const pair = after === undefined ? undefined : common(packets[way][after], packets[way][before]);
      if (after !== undefined && pair !== undefined) {
        for (const change of differences(pair[0], pair[1])) changes.push({ way, after, before, ...change });
      }
      after = before;
    }
    return changes;
  });
}

function common(
  a: ReadonlyMap<number, Sighting> | undefined,
  b: ReadonlyMap<number, Sighting> | undefined,
): readonly [Sighting, Sighting] | undefined {
  const both = [...(a?.keys() ?? [])].filter((n) => b?.has(n) === true);
  const first = Math.min(...both);
  const before = a?.get(first);
  const after = b?.get(first);
  return before === undefined || after === undefined ? undefined : [before, after];
}

type What = TraceChange['what'];

function differences(a: Sighting, b: Sighting): Pick<TraceChange, 'what' | 'from' | 'to'>[] {
  const before = worn(innerOf(a.layers));
  const after = worn(innerOf(b.layers));
  return [...before].flatMap(([what, from]) => {
    const to = after.get(what);
    return to === undefined || to === from ? [] : [{ what, from, to }];
  });
}

/** What can be told of a packet, each in words; what is missing in one of two packets is not compared. */
function worn({ ethernet, tags, ip, transport, tunnel }: Inner): ReadonlyMap<What, string> {
  const all = new Map<What, string>();
  if (ip !== undefined) {
    all.set('source', ip.source);
    all.set('destination', ip.destination);
    all.set('ttl', `${ip.layer === 'ipv4' ? ip.ttl : ip.hopLimit}`);
    const size = ip.layer === 'ipv4' ? ip.totalLength : ip.payloadLength;
    // 0 where the kernel has not cut a large segment yet.
    if (size > 0) all.set('size', `${ip.layer === 'ipv4' ? size : size + 40}`);
    if (ip.layer === 'ipv4') all.set('df', ip.dontFragment ? 'set' : 'not set');
  }
  if (transport?.layer === 'tcp' || transport?.layer === 'udp') {
    all.set('source-port', `${transport.sourcePort}`);
    all.set('destination-port', `${transport.destinationPort}`);
  }
  if ((transport?.layer === 'icmp' || transport?.layer === 'icmpv6') && transport.id !== undefined) {
    all.set('icmp-id', `${transport.id}`);
  }
  if (ethernet !== undefined) {
    all.set('source-mac', ethernet.source);
    all.set('destination-mac', ethernet.destination);
  }
  all.set('tag', tags.length === 0 ? 'none' : tags.join('.'));
  all.set('vni', tunnel === undefined ? 'none' : tunnel.vni === undefined ? 'no key' : `${tunnel.vni}`);
  return all;
}

/** Packets (ARP too) that were dressed otherwise than their point expects; each kind of misfit once. */
export function misfitsOf({ points }: Leg, sightings: readonly Sighting[]): TraceMisfit[] {
  const found = new Map<string, TraceMisfit>();
  for (const { point: index, way, layers } of sightings) {
    const point = points[index];
    if (point === undefined) continue;
    for (const misfit of misfits(point, way, innerOf(layers), layers.flatMap(outerTag))) {
      found.set(`${index} ${way} ${misfit.what} ${misfit.seen}`, { point: index, way, ...misfit });
    }
  }
  const rank = (m: TraceMisfit): string =>
    `${ways.indexOf(m.way)} ${String(m.point).padStart(4, '0')} ${m.what} ${m.seen}`;
  return [...found.values()].sort((a, b) => (rank(a) < rank(b) ? -1 : 1));
}

const outerTag = (layer: Sighting['layers'][number]): number[] =>
  layer.layer === 'vlan' && layer.id !== 0 ? [layer.id] : [];

type Misfit = Pick<TraceMisfit, 'what' | 'expected' | 'seen'>;

function misfits({ wears }: Point, way: Way, { tags, tunnel }: Inner, allTags: readonly number[]): Misfit[] {
  switch (wears.kind) {
    case 'plain':
    case 'vlan': {
      if (tunnel !== undefined) {
        return [{ what: 'tunnel', expected: 'none', seen: `${tunnel.by} ${tunnel.vni ?? 'without a key'}` }];
      }
      const expected = wears.kind === 'plain' ? 'none' : `${wears.id}`;
      const seen = tags.length === 0 ? 'none' : tags.join('.');
      return seen === expected ? [] : [{ what: 'tag', expected, seen }];
    }
    case 'tunnel': {
      if (tunnel === undefined || tunnel.by !== wears.by) {
        const seen = tunnel?.by ?? (allTags.length === 0 ? 'none' : `vlan ${allTags.join('.')}`);
        return [{ what: 'tunnel', expected: wears.by, seen }];
      }
      const wrong: Misfit[] = [];
      const vni = way === 'back' ? (wears.vniBack ?? wears.vni) : wears.vni;
      if (vni !== undefined && tunnel.vni !== vni) {
        wrong.push({ what: 'vni', expected: `${vni}`, seen: `${tunnel.vni ?? 'none'}` });
      }
      if (tunnel.endpoints !== undefined && !sameEnds(wears.endpoints, tunnel.endpoints)) {
        wrong.push({
          what: 'endpoints',
          expected: wears.endpoints.join(' and '),
          seen: tunnel.endpoints.join(' → '),
        });
      }
      return wrong;
    }
  }
}

/** Whichever of the two sends. */
const sameEnds = (expected: readonly [string, string], seen: readonly [string, string]): boolean => {
  const text = (pair: readonly string[]): string =>
    pair
      .map((a) => {
        const address = parseAddress(a);
        return address === undefined ? a : `${address.family} ${address.value}`;
      })
      .sort()
      .join(' ');
  return text(expected) === text(seen);
};
