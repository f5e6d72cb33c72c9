import { describe, expect, test } from 'vitest';
import { type Decoded, decodeFrame } from '../../../../src/nodes/parse/frame/decode.ts';
import type { Layer, TcpFlag } from '../../../../src/nodes/parse/frame/layer.ts';
import { capture, captureNames, type TsharkFrame, tsharkFrames } from './captures.ts';

/** Layers in the order in which tshark speaks of them: what an error quotes comes right behind the error. */
function flattened(layers: readonly Layer[]): readonly Layer[] {
  return layers.flatMap((layer) => ['quoted' in layer ? { ...layer, quoted: [] } : layer, ...quotedIn(layer)]);
}

function quotedIn(layer: Layer): readonly Layer[] {
  return 'quoted' in layer ? flattened(layer.quoted ?? []) : [];
}

type Told = string | number | boolean | undefined;
type Of<Name extends Layer['layer']> = Extract<Layer, { layer: Name }>;

/** One value for each layer of a kind that has it. */
function each<Name extends Layer['layer']>(kind: Name, value: (layer: Of<Name>) => Told) {
  return (layers: readonly Layer[]): readonly Told[] =>
    layers
      .filter((layer): layer is Of<Name> => layer.layer === kind)
      .map(value)
      .filter((told) => told !== undefined);
}

const FLAGS: readonly TcpFlag[] = ['fin', 'syn', 'rst', 'psh', 'ack', 'urg', 'ece', 'cwr'];
const MESSAGES: readonly unknown[] = ['discover', 'offer', 'request', 'decline', 'ack', 'nak', 'release', 'inform'];
const DIRECTIONS: readonly unknown[] = ['host', 'broadcast', 'multicast', 'other', 'outgoing'];
const operation = (told: string | number): Told => (told === 'request' ? 1 : told === 'reply' ? 2 : told);
const address = (told: string | undefined): string => told ?? '0.0.0.0';

/** What each column of the TSV is in our layers. */
const columns: Readonly<Record<string, (layers: readonly Layer[]) => readonly Told[]>> = {
  'eth.src': each('ethernet', (l) => l.source),
  'eth.dst': each('ethernet', (l) => l.destination),
  'eth.type': each('ethernet', (l) => (l.type >= 0x600 ? l.type : undefined)),
  'eth.len': each('ethernet', (l) => (l.type < 0x600 ? l.type : undefined)),
  'sll.pkttype': each('cooked', (l) => DIRECTIONS.indexOf(l.direction)),
  'sll.src.eth': each('cooked', (l) => l.source),
  'sll.etype': each('cooked', (l) => l.type),
  'sll.ifindex': each('cooked', (l) => l.interfaceIndex),
  'ieee8021ad.id': each('vlan', (l) => (l.tpid === 0x88a8 ? l.id : undefined)),
  'ieee8021ad.priority': each('vlan', (l) => (l.tpid === 0x88a8 ? l.priority : undefined)),
  'vlan.id': each('vlan', (l) => (l.tpid === 0x8100 ? l.id : undefined)),
  'vlan.priority': each('vlan', (l) => (l.tpid === 0x8100 ? l.priority : undefined)),
  'vlan.etype': each('vlan', (l) => (l.tpid === 0x8100 ? l.type : undefined)),
  'arp.opcode': each('arp', (l) => operation(l.operation)),
  'arp.src.hw_mac': each('arp', (l) => l.senderMac),
  'arp.src.proto_ipv4': each('arp', (l) => l.sender),
  'arp.dst.hw_mac': each('arp', (l) => l.targetMac),
  'arp.dst.proto_ipv4': each('arp', (l) => l.target),
  'ip.src': each('ipv4', (l) => l.source),
  'ip.dst': each('ipv4', (l) => l.destination),
  'ip.ttl': each('ipv4', (l) => l.ttl),
  'ip.id': each('ipv4', (l) => l.id),
  'ip.proto': each('ipv4', (l) => l.protocol),
  'ip.dsfield.dscp': each('ipv4', (l) => l.dscp),
  'ip.flags.df': each('ipv4', (l) => l.dontFragment),
  'ip.flags.mf': each('ipv4', (l) => l.moreFragments),
  'ip.frag_offset': each('ipv4', (l) => l.fragmentOffset / 8),
  'ip.len': each('ipv4', (l) => l.totalLength),
  'ipv6.src': each('ipv6', (l) => l.source),
  'ipv6.dst': each('ipv6', (l) => l.destination),
  'ipv6.hlim': each('ipv6', (l) => l.hopLimit),
  'ipv6.nxt': each('ipv6', (l) => l.nextHeader),
  'ipv6.plen': each('ipv6', (l) => l.payloadLength),
  'ipv6.tclass.dscp': each('ipv6', (l) => l.dscp),
  'ipv6.hopopts.nxt': each('ipv6', (l) => (l.nextHeader === 0 ? l.protocol : undefined)),
  'ipv6.fraghdr.nxt': each('ipv6', (l) => (l.fragment ? l.protocol : undefined)),
  'ipv6.fraghdr.ident': each('ipv6', (l) => l.fragment?.id),
  'ipv6.fraghdr.offset': each('ipv6', (l) => (l.fragment ? l.fragment.offset / 8 : undefined)),
  'ipv6.fraghdr.more': each('ipv6', (l) => l.fragment?.moreFragments),
  'icmp.type': each('icmp', (l) => l.type),
  'icmp.code': each('icmp', (l) => l.code),
  'icmp.ident': each('icmp', (l) => l.id),
  'icmp.seq': each('icmp', (l) => l.sequence),
  'icmp.mtu': each('icmp', (l) => l.mtu),
  'icmp.redir_gw': each('icmp', (l) => l.gateway),
  'icmpv6.type': each('icmpv6', (l) => l.type),
  'icmpv6.code': each('icmpv6', (l) => l.code),
  'icmpv6.echo.identifier': each('icmpv6', (l) => l.id),
  'icmpv6.echo.sequence_number': each('icmpv6', (l) => l.sequence),
  'icmpv6.mtu': each('icmpv6', (l) => (l.type === 2 ? l.mtu : undefined)),
  'icmpv6.opt.mtu': each('icmpv6', (l) => (l.type === 134 ? l.mtu : undefined)),
  'icmpv6.nd.ns.target_address': each('icmpv6', (l) => (l.type === 135 ? l.target : undefined)),
  'icmpv6.nd.na.target_address': each('icmpv6', (l) => (l.type === 136 ? l.target : undefined)),
  'icmpv6.opt.linkaddr': each('icmpv6', (l) => l.linkAddress),
  'tcp.srcport': each('tcp', (l) => l.sourcePort),
  'tcp.dstport': each('tcp', (l) => l.destinationPort),
  'tcp.seq': each('tcp', (l) => l.seq),
  'tcp.ack': each('tcp', (l) => l.ack),
  'tcp.flags': each('tcp', (l) => l.flags?.reduce((bits, flag) => bits | (1 << FLAGS.indexOf(flag)), 0)),
  'tcp.window_size_value': each('tcp', (l) => l.window),
  'tcp.options.mss_val': each('tcp', (l) => l.mss),
  'udp.srcport': each('udp', (l) => l.sourcePort),
  'udp.dstport': each('udp', (l) => l.destinationPort),
  'udp.length': each('udp', (l) => l.length),
  'dhcp.type': each('dhcp', (l) => operation(l.operation)),
  'dhcp.id': each('dhcp', (l) => l.transaction),
  'dhcp.option.dhcp': each('dhcp', (l) => MESSAGES.indexOf(l.type) + 1),
  'dhcp.hw.mac_addr': each('dhcp', (l) => l.clientMac),
  'dhcp.ip.client': each('dhcp', (l) => address(l.clientAddress)),
  'dhcp.ip.your': each('dhcp', (l) => address(l.yourAddress)),
  'dhcp.ip.relay': each('dhcp', (l) => address(l.relay)),
  'dhcp.option.requested_ip_address': each('dhcp', (l) => l.requestedAddress),
  'dhcp.option.dhcp_server_id': each('dhcp', (l) => l.serverId),
  'dhcp.option.subnet_mask': each('dhcp', (l) => l.netmask),
  'dhcp.option.router': each('dhcp', (l) => l.router),
  'dhcp.option.interface_mtu': each('dhcp', (l) => l.mtu),
  'dhcp.option.ip_address_lease_time': each('dhcp', (l) => l.leaseSeconds),
  'vxlan.vni': each('vxlan', (l) => l.vni),
  'gre.proto': each('gre', (l) => l.protocol),
  'gre.key': each('gre', (l) => l.key),
  'gre.sequence_number': each('gre', (l) => l.sequence),
  'geneve.vni': each('geneve', (l) => l.vni),
  'geneve.proto_type': each('geneve', (l) => l.protocol),
  'geneve.option.length': each('geneve', (l) => l.optionsLength),
};

/** Numbers and booleans are compared as numbers: tshark writes some of them in hexadecimal. */
function same(text: string): string {
  return /^(?:0x[\da-f]+|\d+)$/.test(text) ? String(Number(text)) : text;
}

function ours(field: string, decoded: Decoded): readonly string[] {
  return (
    columns[field]?.(flattened(decoded.layers)).map((told) =>
      String(told === true || told === false ? Number(told) : told),
    ) ?? []
  );
}

/** The client identifier option repeats the hardware address; each Geneve option's length follows that of all. */
const FIRST_ONLY = new Set(['dhcp.hw.mac_addr', 'geneve.option.length']);

function tsharks(field: string, frame: TsharkFrame): readonly string[] {
  const told = (frame.get(field) ?? []).map(same);
  return FIRST_ONLY.has(field) ? told.slice(0, 1) : told;
}

const NAMES: Readonly<Record<string, string>> = { eth: 'ethernet', sll: 'cooked', ip: 'ipv4', ieee8021ad: 'vlan' };
/** Dissectors that are no layer of ours: part of one, or of a payload. */
const INNER = new Set(['ethertype', 'data', 'ipv6.hopopts', 'ipv6.fraghdr', 'ssh', 'raw', 'stp']);

function tsharkLayers(frame: TsharkFrame): readonly string[] {
  const names = (frame.get('frame.protocols') ?? []).join().split(':');
  return names.filter((name) => !INNER.has(name)).map((name) => (name === 'llc' ? 'unknown' : (NAMES[name] ?? name)));
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

describe.each(captureNames)('%s', (name) => {
  const { linkType, records } = capture(name);
  const frames = tsharkFrames(name);
  const pairs = records.map((record, at) => ({
    record,
    decoded: decodeFrame(linkType, record.bytes),
    frame: frames[at] ?? new Map<string, readonly string[]>(),
  }));

  test('as many frames, of the same times and lengths, as tshark reads', () => {
    expect(pairs.length).toBeGreaterThan(0);
    expect(
      records.map(({ at, length, bytes }) => [
        `${at / 1_000_000_000n}.${String(at % 1_000_000_000n).padStart(9, '0')}`,
        String(length),
        String(bytes.length),
      ]),
    ).toEqual(frames.map((frame) => ['frame.time_epoch', 'frame.len', 'frame.cap_len'].map((f) => frame.get(f)?.[0])));
  });

  test('the same layers as tshark finds; of a cut frame all but the one that was cut', () => {
    for (const { decoded, frame } of pairs) {
      const layers = flattened(decoded.layers).map(({ layer }) => layer);
      const wanted = tsharkLayers(frame);
      expect(layers).toEqual(decoded.cut ? wanted.slice(0, layers.length) : wanted);
      expect(layers.length).toBeGreaterThanOrEqual(wanted.length - 1);
    }
  });

  test('the same value of every field of every layer', () => {
    for (const { decoded, frame } of pairs) {
      const whole = flattened(decoded.layers).length === tsharkLayers(frame).length;
      for (const field of Object.keys(columns)) {
        expect(frame.has(field), field).toBe(true);
        const told = ours(field, decoded);
        const wanted = tsharks(field, frame);
        expect({ [field]: told }).toEqual({ [field]: whole ? wanted : wanted.slice(0, told.length) });
      }
    }
  });

  test('the same payload of TCP and UDP; cut exactly when fewer bytes were captured than sent', () => {
    for (const { record, decoded, frame } of pairs) {
      const last = decoded.layers.at(-1)?.layer;
      if (last === 'tcp' || last === 'udp') {
        expect(hex(decoded.payload)).toBe(frame.get(`${last}.payload`)?.at(-1) ?? '');
      }
      expect(decoded.cut).toBe(record.bytes.length < record.length);
    }
  });
});

test('every field that the decoder tells is in some capture', () => {
  const all = captureNames.flatMap((name) => tsharkFrames(name));
  const never = Object.keys(columns).filter((field) => all.every((frame) => (frame.get(field) ?? []).length === 0));
  expect(never).toEqual([]);
});

test('no column of tshark is left unread', () => {
  const read = new Set([...Object.keys(columns), 'tcp.payload', 'udp.payload']);
  for (const name of captureNames) {
    const [frame] = tsharkFrames(name);
    expect([...(frame?.keys() ?? [])].filter((field) => !field.startsWith('frame.') && !read.has(field))).toEqual([]);
  }
});
