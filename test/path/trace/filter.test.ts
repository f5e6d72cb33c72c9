import { describe, expect, it } from 'vitest';
import { type Decoded, decodeFrame } from '../../../src/nodes/parse/frame/decode.ts';
import type { Layer } from '../../../src/nodes/parse/frame/layer.ts';
import { parseAddress, sameAddress } from '../../../src/path/addresses.ts';
import { discover } from '../../../src/path/trace/craft.ts';
import { captureFilter, tunnelPorts, type Wanted } from '../../../src/path/trace/filter.ts';
import type { Wearing } from '../../../src/path/trace/point.ts';
import { capture, captureNames } from '../../nodes/parse/frame/captures.ts';
import { compiledFilters, takes } from './bpf.ts';
import { filterCases } from './filter-cases.ts';

const probePort = 4000;
const programs = compiledFilters();

/** Every whole Ethernet frame of the captures. */
const recorded = captureNames
  .map((name) => ({ name, all: capture(name) }))
  .filter(({ all }) => all.linkType === 1)
  .flatMap(({ name, all }) =>
    all.records.map((record, at) => ({ name, at, bytes: record.bytes, length: record.length })),
  )
  .filter(({ bytes, length }) => bytes.length === length)
  .map(({ name, at, bytes }) => ({ where: `${name} #${at + 1}`, bytes, decoded: decodeFrame(1, bytes) }));

/**
 * Of every datagram there is one more that carries the mark of a probe, and its number behind it: those of the captures are shorter. And one
 * that asks for a lease.
 */
const frames = [
  ...recorded,
  ...recorded.flatMap(({ where, bytes, decoded }) => {
    const last = decoded.layers.at(-1);
    if (last?.layer !== 'udp' || last.destinationPort !== probePort || decoded.payload.length === 0) return [];
    const marked = withPayload(bytes, decoded, [...Buffer.from('ping'), 1]);
    const asking = withPayload(bytes, decoded, [...discover('fa:16:3e:00:00:01', 0x0f5d9b07)]);
    const udp = bytes.length - decoded.payload.length - 8;
    asking.writeUInt16BE(68, udp);
    asking.writeUInt16BE(67, udp + 2);
    return [
      { where: `${where} marked`, bytes: marked, decoded: decodeFrame(1, marked) },
      { where: `${where} asking for a lease`, bytes: asking, decoded: decodeFrame(1, asking) },
    ];
  }),
];

/** The frame with another payload, and lengths that fit it. Checksums are as they were: no filter looks at them. */
function withPayload(bytes: Uint8Array, { layers, payload }: Decoded, other: readonly number[]): Buffer {
  const kept = bytes.subarray(0, bytes.length - payload.length);
  const frame = Buffer.from([...kept, ...other]);
  const grow = (at: number): number => frame.writeUInt16BE(frame.readUInt16BE(at) + other.length - payload.length, at);
  let at = 0;
  for (const { layer } of layers) {
    if (layer === 'ipv4') grow(at + 2);
    if (layer === 'ipv6' || layer === 'udp') grow(at + 4);
    const first = frame.readUInt8(at);
    if (layer === 'ethernet') at += 14;
    else if (layer === 'vlan') at += 4;
    else if (layer === 'ipv4') at += (first & 0xf) * 4;
    else if (layer === 'ipv6') at += 40;
    else if (layer === 'udp' || layer === 'vxlan') at += 8;
    else if (layer === 'geneve') at += 8 + (first & 0x3f) * 4;
    else if (layer === 'gre') at += 4 + [0x80, 0x20, 0x10].filter((bit) => (first & bit) !== 0).length * 4;
    else throw new Error(`no datagram stands behind ${layer}`);
  }
  return frame;
}

const isTunnel = (l: Layer): l is Extract<Layer, { layer: 'vxlan' | 'geneve' | 'gre' }> =>
  l.layer === 'vxlan' || l.layer === 'geneve' || l.layer === 'gre';
const isIp = (l: Layer): l is Extract<Layer, { layer: 'ipv4' | 'ipv6' }> => l.layer === 'ipv4' || l.layer === 'ipv6';

type Same = (a: string, b: string) => boolean;

/** In a tunnel the last four bytes of an address have to do: `ff02::2` is taken for `fd07::2`, which costs a few packets. */
const nearly: Same = (a, b) => {
  const [one, other] = [parseAddress(a), parseAddress(b)];
  if (one === undefined || other?.family !== one.family) return false;
  return (one.value & 0xffffffffn) === (other.value & 0xffffffffn);
};

function quotes([first]: readonly Layer[] = [], one: (address: string) => boolean): boolean {
  return first?.layer === 'ipv4' && one(first.destination);
}

/** By the decoded headers of a packet (without tunnel and tags): whether it is one of those that are followed. */
function isWanted(
  layers: readonly Layer[],
  payload: Uint8Array,
  { addresses, protocol, port, mark }: Wanted,
  same: Same = sameAddress,
): boolean {
  const one = (address: string | undefined): boolean =>
    address !== undefined && addresses.some((a) => same(a, address));
  const [first, second] = layers;
  if (first?.layer === 'arp') return one(first.sender) || one(first.target);
  if (first === undefined || !isIp(first)) return false;
  const lease = layers[2];
  if (protocol === 'dhcp' && first.layer === 'ipv4' && lease?.layer === 'dhcp') {
    // Whoever asks and answers: the last byte is the packet's number.
    return lease.transaction >>> 8 === (mark ?? 0) >>> 8;
  }
  const ends = one(first.source) || one(first.destination);
  // The later fragments of a ping have no header of their own.
  if (second === undefined) return ends && (first.protocol === 1 || first.protocol === 58);
  switch (second.layer) {
    case 'icmp':
      // Who refuses a packet quotes it, foremost its IP header. Inside a tunnel nobody does: routers stand at its ends.
      return ends || (same === sameAddress && quotes(second.quoted, one));
    case 'icmpv6':
      return ends || ((second.type === 135 || second.type === 136) && one(second.target));
    case 'tcp': {
      const opens = second.flags?.some((flag) => flag === 'syn' || flag === 'rst') === true;
      return protocol === 'tcp' && ends && opens && (second.sourcePort === port || second.destinationPort === port);
    }
    case 'udp': {
      const begin = Buffer.from(payload);
      const marked = layers.length === 2 && begin.length >= 4 && begin.readUInt32BE(0) === mark;
      return protocol === 'udp' && ends && marked && (second.sourcePort === port || second.destinationPort === port);
    }
    default:
      return false;
  }
}

/** The same of a whole frame, by what it wears. */
function shouldTake({ layers, payload }: Decoded, wears: Wearing, wanted: Wanted): boolean {
  const untagged = layers.slice(1);
  switch (wears.kind) {
    case 'plain':
      return isWanted(untagged, payload, wanted);
    case 'vlan':
      return isWanted(untagged[0]?.layer === 'vlan' ? untagged.slice(1) : untagged, payload, wanted);
    case 'tunnel': {
      const at = layers.findIndex(isTunnel);
      const tunnel = layers[at];
      const outer = layers.slice(0, Math.max(0, at)).find(isIp);
      const udp = layers.slice(0, Math.max(0, at)).find((l) => l.layer === 'udp');
      if (tunnel?.layer !== wears.by || outer === undefined || layers[at + 1]?.layer !== 'ethernet') return false;
      const ours = [outer.source, outer.destination].every((a) => wears.endpoints.some((e) => sameAddress(a, e)));
      const port = wears.by === 'gre' ? undefined : (wears.udpPort ?? tunnelPorts[wears.by]);
      return ours && udp?.destinationPort === port && isWanted(layers.slice(at + 2), payload, wanted, nearly);
    }
  }
}

const dresses = [...new Set(filterCases.map(({ dress }) => dress))];

describe('the filter of a capture', () => {
  it.each(dresses)('is one that tcpdump takes, and takes what is followed and no other packet: %s', (dress) => {
    for (const { says, filter, wears, wanted } of filterCases.filter((c) => c.dress === dress)) {
      const program = programs.get(filter);
      if (program === undefined) throw new Error(`compile it with test/fixtures/bpf/redo.sh: ${filter}`);
      const taken = frames.filter(({ bytes }) => takes(program, bytes)).map(({ where }) => where);
      const followed = frames.filter(({ decoded }) => shouldTake(decoded, wears, wanted)).map(({ where }) => where);
      expect(taken, says).toEqual(followed);
    }
  });

  it('meets frames that it has to take in every dress and of every protocol, or the sentences above are empty', () => {
    const met = new Set(
      filterCases.flatMap(({ wears, wanted }) =>
        frames
          .filter(({ decoded }) => shouldTake(decoded, wears, wanted))
          .map(
            ({ decoded }) => `${wears.kind === 'tunnel' ? wears.by : wears.kind} ${decoded.layers.at(-1)?.layer ?? ''}`,
          ),
      ),
    );
    const tunnels = ['vxlan', 'geneve', 'gre'];
    for (const dress of ['plain', 'vlan', ...tunnels]) {
      for (const packet of [
        'icmp',
        'icmpv6',
        ...(dress === 'plain' ? ['arp'] : ['udp']),
        ...(dress === 'vlan' ? ['arp'] : ['tcp']),
        ...(dress === 'plain' ? [] : ['dhcp']),
      ]) {
        expect(met).toContain(`${dress} ${packet}`);
      }
    }
  });

  it('says nothing that a user of the cloud chose', () => {
    for (const { filter } of filterCases) expect(filter).toMatch(/^[a-z0-9 .:()[\]&=!+<>*]*$/);
  });

  it('takes in nothing at all where no address is known, for an empty one would take in everything', () => {
    for (const wears of [{ kind: 'plain' }, { kind: 'vlan', id: 7 }] as const) {
      const program = programs.get(captureFilter(wears, { protocol: 'icmp', addresses: ['web-1; rm -rf /'] })) ?? [];
      expect(program.length).toBeGreaterThan(0);
      expect(frames.filter(({ bytes }) => takes(program, bytes))).toEqual([]);
    }
  });
});
