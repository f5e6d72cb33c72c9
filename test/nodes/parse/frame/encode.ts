import fc from 'fast-check';
import type { CookedLayer, DhcpLayer, Layer, TcpFlag } from '../../../../src/nodes/parse/frame/layer.ts';

/** Bytes together with what the decoder should make of them. */
export interface Encoded {
  readonly bytes: Uint8Array;
  readonly layers: readonly Layer[];
  readonly payload: Uint8Array;
}

/** What goes into a frame or a tunnel, with the EtherType that announces it. */
export interface Typed extends Encoded {
  readonly type: number;
}

/** What goes into IP, with its protocol number. */
export interface Carried extends Encoded {
  readonly protocol: number;
}

const none = new Uint8Array();

export function joined(...parts: readonly (Uint8Array | readonly number[])[]): Uint8Array {
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}

const u16 = (value: number): readonly number[] => [(value >> 8) & 0xff, value & 0xff];
const u24 = (value: number): readonly number[] => [(value >> 16) & 0xff, ...u16(value)];
const u32 = (value: number): readonly number[] => [(value >>> 24) & 0xff, ...u24(value)];
const macBytes = (mac: string): readonly number[] => mac.split(':').map((byte) => Number.parseInt(byte, 16));
const ipv4Bytes = (address: string): readonly number[] => address.split('.').map(Number);

function ipv6Bytes(address: string): readonly number[] {
  const [left = '', right] = address.split('::');
  const groups = (text: string): readonly string[] => (text === '' ? [] : text.split(':'));
  const before = groups(left);
  const behind = groups(right ?? '');
  const zeros = Array<string>(8 - before.length - behind.length).fill('0');
  return [...before, ...zeros, ...behind].flatMap((group) => u16(Number.parseInt(group, 16)));
}

const u8s = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
const byte = fc.integer({ min: 0, max: 0xff });
const word = fc.integer({ min: 0, max: 0xffff });
const long = fc.integer({ min: 0, max: 0xffff_ffff });
const vni = fc.integer({ min: 0, max: 0xff_ffff });
const dscp = fc.integer({ min: 0, max: 63 });
const mac = u8s(6).map((bytes) => Array.from(bytes, (each) => each.toString(16).padStart(2, '0')).join(':'));
export const ipv4 = u8s(4).map((bytes) => bytes.join('.'));
/** Canonical by WHATWG's URL, which compresses as RFC 5952 does. */
export const ipv6 = fc.array(fc.oneof(word, fc.constant(0)), { minLength: 8, maxLength: 8 }).map((groups) => {
  const text = groups.map((group) => group.toString(16)).join(':');
  return new URL(`http://[${text}]/`).hostname.slice(1, -1);
});

/** No tunnel's and no DHCP's port. */
const port = word.filter((number) => ![67, 68, 4789, 8472, 6081].includes(number));
const data = fc.uint8Array({ maxLength: 40 });

const payload: fc.Arbitrary<Encoded> = data.map((bytes) => ({ bytes, layers: [], payload: bytes }));

function udp(sourcePort: number, destinationPort: number, inner: Encoded): Carried {
  const length = 8 + inner.bytes.length;
  return {
    protocol: 17,
    bytes: joined(u16(sourcePort), u16(destinationPort), u16(length), u16(0), inner.bytes),
    layers: [{ layer: 'udp', sourcePort, destinationPort, length }, ...inner.layers],
    payload: inner.payload,
  };
}

const FLAGS: readonly TcpFlag[] = ['fin', 'syn', 'rst', 'psh', 'ack', 'urg', 'ece', 'cwr'];

const tcp: fc.Arbitrary<Carried> = fc
  .tuple(word, word, long, long, byte, word, fc.option(word, { nil: undefined }), fc.nat(2), payload)
  .map(([sourcePort, destinationPort, seq, ack, bits, window, mss, padding, inner]) => {
    const options = [...Array<number>(padding * 4).fill(1), ...(mss === undefined ? [] : [2, 4, ...u16(mss)])];
    return {
      protocol: 6,
      bytes: joined(
        [...u16(sourcePort), ...u16(destinationPort), ...u32(seq), ...u32(ack)],
        [((20 + options.length) / 4) << 4, bits, ...u16(window), 0, 0, 0, 0, ...options],
        inner.bytes,
      ),
      layers: [
        {
          layer: 'tcp',
          sourcePort,
          destinationPort,
          seq,
          ack,
          flags: FLAGS.filter((_, bit) => (bits >> bit) & 1),
          window,
          ...(mss === undefined ? {} : { mss }),
        },
      ],
      payload: inner.payload,
    };
  });

const MESSAGES = ['discover', 'offer', 'request', 'decline', 'ack', 'nak', 'release', 'inform'] as const;

const messages: readonly unknown[] = MESSAGES;

const dhcpLayer: fc.Arbitrary<DhcpLayer> = fc.record(
  {
    layer: fc.constant('dhcp' as const),
    operation: fc.constantFrom('request' as const, 'reply' as const),
    transaction: long,
    clientMac: mac,
    type: fc.constantFrom(...MESSAGES),
    clientAddress: ipv4.filter((address) => address !== '0.0.0.0'),
    yourAddress: ipv4.filter((address) => address !== '0.0.0.0'),
    relay: ipv4.filter((address) => address !== '0.0.0.0'),
    requestedAddress: ipv4,
    serverId: ipv4,
    netmask: ipv4,
    router: ipv4,
    mtu: word,
    leaseSeconds: long,
  },
  { requiredKeys: ['layer', 'operation', 'transaction', 'clientMac'] },
);

const dhcp: fc.Arbitrary<Carried> = fc
  .tuple(dhcpLayer, fc.constantFrom([67, 68] as const, [68, 67] as const, [67, 67] as const))
  .map(([layer, [from, to]]) => {
    const address = (text: string | undefined): readonly number[] => ipv4Bytes(text ?? '0.0.0.0');
    const option = (kind: number, value: readonly number[] | undefined): readonly number[] =>
      value === undefined ? [] : [kind, value.length, ...value];
    const addressOption = (kind: number, text: string | undefined): readonly number[] =>
      option(kind, text === undefined ? undefined : ipv4Bytes(text));
    const bytes = joined(
      [layer.operation === 'request' ? 1 : 2, 1, 6, 0, ...u32(layer.transaction), 0, 0, 0, 0],
      [...address(layer.clientAddress), ...address(layer.yourAddress), 0, 0, 0, 0, ...address(layer.relay)],
      [...macBytes(layer.clientMac), ...Array<number>(10 + 64 + 128).fill(0), 0x63, 0x82, 0x53, 0x63, 0],
      option(53, layer.type === undefined ? undefined : [messages.indexOf(layer.type) + 1]),
      [...addressOption(50, layer.requestedAddress), ...addressOption(54, layer.serverId), 0, 0],
      [...addressOption(1, layer.netmask), ...addressOption(3, layer.router)],
      option(26, layer.mtu === undefined ? undefined : u16(layer.mtu)),
      option(51, layer.leaseSeconds === undefined ? undefined : u32(layer.leaseSeconds)),
      [255, 0, 0],
    );
    return udp(from, to, { bytes, layers: [layer], payload: none });
  });

const echo: fc.Arbitrary<Carried> = fc.tuple(fc.boolean(), word, word, payload).map(([reply, id, sequence, inner]) => ({
  protocol: 1,
  bytes: joined([reply ? 0 : 8, 0, 0, 0, ...u16(id), ...u16(sequence)], inner.bytes),
  layers: [{ layer: 'icmp', type: reply ? 0 : 8, code: 0, id, sequence }],
  payload: inner.payload,
}));

const echo6: fc.Arbitrary<Carried> = fc
  .tuple(fc.boolean(), word, word, payload)
  .map(([reply, id, sequence, inner]) => ({
    protocol: 58,
    bytes: joined([reply ? 129 : 128, 0, 0, 0, ...u16(id), ...u16(sequence)], inner.bytes),
    layers: [{ layer: 'icmpv6', type: reply ? 129 : 128, code: 0, id, sequence }],
    payload: inner.payload,
  }));

const neighbour: fc.Arbitrary<Carried> = fc
  .tuple(fc.constantFrom(135, 136), ipv6, fc.option(mac, { nil: undefined }))
  .map(([type, target, linkAddress]) => {
    const option = linkAddress === undefined ? [] : [type === 135 ? 1 : 2, 1, ...macBytes(linkAddress)];
    const body = joined([0, 0, 0, 0], ipv6Bytes(target), option);
    return {
      protocol: 58,
      bytes: joined([type, 0, 0, 0], body),
      layers: [{ layer: 'icmpv6', type, code: 0, target, ...(linkAddress === undefined ? {} : { linkAddress }) }],
      payload: body.subarray(4),
    };
  });

const arp: fc.Arbitrary<Typed> = fc
  .tuple(
    fc.constantFrom<['request' | 'reply' | number, number][]>(['request', 1], ['reply', 2], [3, 3]),
    mac,
    ipv4,
    mac,
    ipv4,
    data,
  )
  .map(([[operation, code], senderMac, sender, targetMac, target, padding]) => ({
    type: 0x0806,
    bytes: joined(
      [0, 1, 8, 0, 6, 4, ...u16(code), ...macBytes(senderMac), ...ipv4Bytes(sender)],
      [...macBytes(targetMac), ...ipv4Bytes(target)],
      padding,
    ),
    layers: [{ layer: 'arp', operation, senderMac, sender, targetMac, target }],
    payload: none,
  }));

const ipv4Header = fc.record({
  source: ipv4,
  destination: ipv4,
  ttl: byte,
  id: word,
  dscp,
  dontFragment: fc.boolean(),
  moreFragments: fc.boolean(),
  options: fc.nat(10),
});

function ipv4Packet(inner: fc.Arbitrary<Carried>): fc.Arbitrary<Typed> {
  return fc.tuple(ipv4Header, inner).map(([{ options, ...header }, carried]) => {
    const totalLength = 20 + options * 4 + carried.bytes.length;
    const flags = (header.dontFragment ? 0x4000 : 0) | (header.moreFragments ? 0x2000 : 0);
    return {
      type: 0x0800,
      bytes: joined(
        [0x45 + options, header.dscp << 2, ...u16(totalLength), ...u16(header.id), ...u16(flags)],
        [header.ttl, carried.protocol, 0, 0, ...ipv4Bytes(header.source), ...ipv4Bytes(header.destination)],
        Array<number>(options * 4).fill(1),
        carried.bytes,
      ),
      layers: [
        { layer: 'ipv4', ...header, protocol: carried.protocol, fragmentOffset: 0, totalLength },
        ...carried.layers,
      ],
      payload: carried.payload,
    };
  });
}

/** A fragment that is not the first has no header of what it carries. */
const laterFragment: fc.Arbitrary<Typed> = fc
  .tuple(ipv4Header, byte, fc.integer({ min: 1, max: 0x1fff }), data)
  .map(([{ options: _, ...header }, protocol, offset, bytes]) => {
    const flags = (header.dontFragment ? 0x4000 : 0) | (header.moreFragments ? 0x2000 : 0) | offset;
    return {
      type: 0x0800,
      bytes: joined(
        [0x45, header.dscp << 2, ...u16(20 + bytes.length), ...u16(header.id), ...u16(flags), header.ttl, protocol],
        [0, 0, ...ipv4Bytes(header.source), ...ipv4Bytes(header.destination)],
        bytes,
      ),
      layers: [
        { layer: 'ipv4', ...header, protocol, fragmentOffset: offset * 8, totalLength: 20 + bytes.length } as const,
      ],
      payload: bytes,
    };
  });

type Extension = { readonly kind: number; readonly bytes: (next: number) => readonly number[] };

const extension: fc.Arbitrary<Extension> = fc
  .tuple(fc.constantFrom(0, 43, 60, 135, 51), fc.nat(3))
  .map(([kind, more]) => ({
    kind,
    bytes: (next) =>
      kind === 51
        ? [next, more * 2, ...Array<number>((more * 2 + 2) * 4 - 2).fill(0)]
        : [next, more, ...Array<number>((more + 1) * 8 - 2).fill(0)],
  }));

const ipv6Header = fc.record({
  source: ipv6,
  destination: ipv6,
  hopLimit: byte,
  dscp,
  extensions: fc.array(extension, { maxLength: 3 }),
  fragment: fc.option(fc.record({ id: long, moreFragments: fc.boolean() }), { nil: undefined }),
});

function ipv6Packet(inner: fc.Arbitrary<Carried>): fc.Arbitrary<Typed> {
  return fc.tuple(ipv6Header, inner).map(([{ source, destination, hopLimit, dscp, extensions, fragment }, carried]) => {
    const { protocol } = carried;
    const last: Extension[] =
      fragment === undefined
        ? []
        : [{ kind: 44, bytes: (next) => [next, 0, ...u16(fragment.moreFragments ? 1 : 0), ...u32(fragment.id)] }];
    const all = [...extensions, ...last];
    const headers = all.flatMap(({ bytes }, at) => bytes(all[at + 1]?.kind ?? protocol));
    const nextHeader = all[0]?.kind ?? protocol;
    const payloadLength = headers.length + carried.bytes.length;
    return {
      type: 0x86dd,
      bytes: joined(
        [...u16(0x6000 | (dscp << 6)), 0, 0, ...u16(payloadLength), nextHeader, hopLimit],
        [...ipv6Bytes(source), ...ipv6Bytes(destination), ...headers],
        carried.bytes,
      ),
      layers: [
        {
          layer: 'ipv6',
          source,
          destination,
          hopLimit,
          nextHeader,
          protocol,
          dscp,
          payloadLength,
          ...(fragment === undefined ? {} : { fragment: { ...fragment, offset: 0 } }),
        },
        ...carried.layers,
      ],
      payload: carried.payload,
    };
  });
}

/** Errors about a packet that fits into the quote as a whole. */
function icmpError(quoted: fc.Arbitrary<Typed>): fc.Arbitrary<Carried> {
  return fc
    .tuple(fc.constantFrom([3, 1], [3, 4], [5, 1], [11, 0]), ipv4, word, quoted)
    .map(([kind, gateway, mtu, packet]) => {
      const [type = 0, code = 0] = kind;
      const second = type === 5 ? ipv4Bytes(gateway) : code === 4 ? [0, 0, ...u16(mtu)] : [0, 0, 0, 0];
      return {
        protocol: 1,
        bytes: joined([type, code, 0, 0, ...second], packet.bytes),
        layers: [
          {
            layer: 'icmp',
            type,
            code,
            ...(code === 4 ? { mtu } : {}),
            ...(type === 5 ? { gateway } : {}),
            quoted: packet.layers,
          },
        ],
        payload: packet.bytes,
      };
    });
}

function icmpv6Error(quoted: fc.Arbitrary<Typed>): fc.Arbitrary<Carried> {
  return fc.tuple(fc.constantFrom([1, 4], [2, 0], [3, 0]), long, quoted).map(([kind, mtu, packet]) => {
    const [type = 0, code = 0] = kind;
    return {
      protocol: 58,
      bytes: joined([type, code, 0, 0, ...(type === 2 ? u32(mtu) : [0, 0, 0, 0])], packet.bytes),
      layers: [{ layer: 'icmpv6', type, code, ...(type === 2 ? { mtu } : {}), quoted: packet.layers }],
      payload: packet.bytes,
    };
  });
}

function ethernet(inner: fc.Arbitrary<Typed>): fc.Arbitrary<Encoded> {
  return fc.tuple(mac, mac, inner).map(([source, destination, { type, bytes, layers, payload: rest }]) => ({
    bytes: joined(macBytes(destination), macBytes(source), u16(type), bytes),
    layers: [{ layer: 'ethernet', source, destination, type }, ...layers],
    payload: rest,
  }));
}

function tagged(inner: fc.Arbitrary<Typed>): fc.Arbitrary<Typed> {
  return fc
    .tuple(fc.constantFrom(0x8100, 0x88a8, 0x9100), fc.integer({ min: 0, max: 4095 }), fc.nat(7), inner)
    .map(([tpid, id, priority, { type, bytes, layers, payload: rest }]) => ({
      type: tpid,
      bytes: joined(u16((priority << 13) | id), u16(type), bytes),
      layers: [{ layer: 'vlan', id, priority, tpid, type }, ...layers],
      payload: rest,
    }));
}

const TRANSPARENT_ETHERNET = 0x6558;

function vxlan(inner: fc.Arbitrary<Encoded>): fc.Arbitrary<Carried> {
  return fc.tuple(word, fc.constantFrom(4789, 8472), vni, inner).map(([from, to, id, frame]) =>
    udp(from, to, {
      bytes: joined([8, 0, 0, 0, ...u24(id), 0], frame.bytes),
      layers: [{ layer: 'vxlan', vni: id }, ...frame.layers],
      payload: frame.payload,
    }),
  );
}

function geneve(inner: fc.Arbitrary<Typed>): fc.Arbitrary<Carried> {
  return fc.tuple(word, vni, fc.nat(10), inner).map(([from, id, words, { type, bytes, layers, payload: rest }]) =>
    udp(from, 6081, {
      bytes: joined([words, 0, ...u16(type), ...u24(id), 0], Array<number>(words * 4).fill(0xaa), bytes),
      layers: [{ layer: 'geneve', vni: id, protocol: type, optionsLength: words * 4 }, ...layers],
      payload: rest,
    }),
  );
}

function gre(inner: fc.Arbitrary<Typed>): fc.Arbitrary<Carried> {
  const maybe = fc.option(long, { nil: undefined });
  return fc
    .tuple(fc.boolean(), maybe, maybe, inner)
    .map(([checksum, key, sequence, { type, bytes, layers, payload: rest }]) => {
      const flags = (checksum ? 0x8000 : 0) | (key === undefined ? 0 : 0x2000) | (sequence === undefined ? 0 : 0x1000);
      return {
        protocol: 47,
        bytes: joined(
          [...u16(flags), ...u16(type), ...(checksum ? [0xab, 0xcd, 0, 0] : [])],
          [...(key === undefined ? [] : u32(key)), ...(sequence === undefined ? [] : u32(sequence))],
          bytes,
        ),
        layers: [
          {
            layer: 'gre',
            protocol: type,
            ...(key === undefined ? {} : { key }),
            ...(sequence === undefined ? {} : { sequence }),
          },
          ...layers,
        ],
        payload: rest,
      };
    });
}

const plainUdp = fc.tuple(port, port, payload).map(([from, to, inner]) => udp(from, to, inner));
const inner4 = fc.oneof(plainUdp, tcp, echo);
const inner6 = fc.oneof(plainUdp, tcp, echo6, neighbour);
const packet = fc.oneof(ipv4Packet(inner4), ipv6Packet(inner6));
const stray: fc.Arbitrary<Typed> = data.map((bytes) => ({
  type: 0x88cc,
  bytes,
  layers: [{ layer: 'unknown', what: 'EtherType 0x88cc' }],
  payload: bytes,
}));
const innerFrame = ethernet(fc.oneof(packet, arp, tagged(packet)));
const typedFrame: fc.Arbitrary<Typed> = innerFrame.map((frame) => ({ ...frame, type: TRANSPARENT_ETHERNET }));
const tunnelled = fc.oneof(vxlan(innerFrame), geneve(fc.oneof(typedFrame, packet)), gre(fc.oneof(typedFrame, packet)));
const ipPacket = fc.oneof(
  packet,
  laterFragment,
  ipv4Packet(fc.oneof(dhcp, tunnelled, icmpError(ipv4Packet(fc.oneof(inner4, tunnelled))))),
  ipv6Packet(fc.oneof(tunnelled, icmpv6Error(ipv6Packet(fc.oneof(plainUdp, tcp, echo6))))),
);
const anyTyped = fc.oneof({ weight: 6, arbitrary: ipPacket }, arp, stray, tagged(ipPacket), tagged(tagged(arp)));

const DIRECTIONS = ['host', 'broadcast', 'multicast', 'other', 'outgoing'] as const;

function cooked(version: 1 | 2): fc.Arbitrary<Encoded> {
  return fc
    .tuple(fc.nat(4), fc.option(mac, { nil: undefined }), long, anyTyped)
    .map(([kind, source, interfaceIndex, { type, bytes, layers, payload: rest }]) => {
      const address = source === undefined ? Array<number>(8).fill(0) : [...macBytes(source), 0, 0];
      const size = source === undefined ? 0 : 6;
      const layer: CookedLayer = {
        layer: 'cooked',
        direction: DIRECTIONS[kind] ?? kind,
        type,
        ...(source === undefined ? {} : { source }),
        ...(version === 2 ? { interfaceIndex } : {}),
      };
      const header =
        version === 1
          ? [...u16(kind), 0, 1, ...u16(size), ...address, ...u16(type)]
          : [...u16(type), 0, 0, ...u32(interfaceIndex), 0, 1, kind, size, ...address];
      return { bytes: joined(header, bytes), layers: [layer, ...layers], payload: rest };
    });
}

export interface EncodedFrame extends Encoded {
  readonly linkType: number;
}

/** Frames of every link type and layer, tunnels and errors included, with what should be decoded from them. */
export const anyFrame: fc.Arbitrary<EncodedFrame> = fc.oneof(
  { weight: 4, arbitrary: ethernet(anyTyped).map((frame) => ({ ...frame, linkType: 1 })) },
  cooked(1).map((frame) => ({ ...frame, linkType: 113 })),
  cooked(2).map((frame) => ({ ...frame, linkType: 276 })),
  fc.tuple(fc.constantFrom(12, 101), ipPacket).map(([linkType, { bytes, layers, payload: rest }]) => ({
    linkType,
    bytes,
    layers,
    payload: rest,
  })),
);
