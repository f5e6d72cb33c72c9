import { describe, expect, it } from 'vitest';
import { type Decoded, decodeFrame } from '../../../src/nodes/parse/frame/decode.ts';
import type { Layer, TcpFlag } from '../../../src/nodes/parse/frame/layer.ts';
import { echoFrame } from '../../../src/path/trace/craft.ts';
import type { Probe } from '../../../src/path/trace/observation.ts';
import { type Recognised, recognise } from '../../../src/path/trace/recognise.ts';
import { capture } from '../../nodes/parse/frame/captures.ts';
import { bundleAt } from '../../support/replayed.ts';

const mark = Uint8Array.from([0x90, 0xe6, 0xf8, 0xbd, 0xab, 0x92, 0x41, 0xdf]);
const icmp: Probe = { protocol: 'icmp', from: '10.0.0.1', to: '10.0.0.94', count: 5, size: 84 };
const tcp: Probe = { ...icmp, protocol: 'tcp', port: 22, to: '10.0.0.147' };
const udp: Probe = { ...icmp, protocol: 'udp', port: 53 };
const arp: Probe = { ...icmp, protocol: 'arp' };
const v6: Probe = { ...icmp, from: 'fd00:77::f816:3eff:feea:d81d', to: 'fd00:77::f816:3eff:fe24:af6c' };

const echo = {
  sourceMac: 'fa:16:3e:00:00:01',
  destinationMac: 'fa:16:3e:00:00:02',
  source: '10.0.0.1',
  destination: '10.0.0.94',
  id: 7,
  sequence: 3,
  mark,
};
const request = (changed: Partial<typeof echo> = {}): Decoded =>
  decodeFrame(1, Buffer.from(echoFrame({ ...echo, ...changed }), 'hex'));

/** The same packet as the answer to it, with whatever else the headers may say. */
const changed = ({ layers, ...rest }: Decoded, edit: (layer: Layer) => Layer): Decoded => ({
  ...rest,
  layers: layers.map(edit),
});
const answer = (to: Decoded): Decoded => changed(to, (l) => (l.layer === 'icmp' ? { ...l, type: 0 } : l));

const ipv4 = (source: string, destination: string): Layer => ({
  layer: 'ipv4',
  source,
  destination,
  ttl: 64,
  id: 1,
  protocol: 6,
  dscp: 0,
  dontFragment: true,
  moreFragments: false,
  fragmentOffset: 0,
  totalLength: 60,
});

/** A segment between a client and port 22 of the answering end. */
function segment(
  from: string,
  to: string,
  flags: readonly TcpFlag[],
  numbers: { readonly seq: number; readonly ack?: number; readonly ports?: readonly [number, number] },
): Decoded {
  const [sourcePort, destinationPort] = numbers.ports ?? (from === tcp.to ? [22, 40314] : [40314, 22]);
  const { seq, ack } = numbers;
  const layer: Layer = { layer: 'tcp', sourcePort, destinationPort, seq, flags, ...(ack === undefined ? {} : { ack }) };
  return { layers: [ipv4(from, to), layer], payload: new Uint8Array(), cut: false };
}

/** A datagram to a port; what it carries is its payload. */
const datagram = (port: number, payload: readonly number[]): Decoded => ({
  layers: [
    { ...ipv4('10.0.0.1', '10.0.0.94') },
    { layer: 'udp', sourcePort: 4000, destinationPort: port, length: 8 + payload.length },
  ],
  payload: Uint8Array.from(payload),
  cut: false,
});

/** What a machine on the way says of a packet that it will not pass on. */
const refusing = ({ layers }: Decoded): Decoded => ({
  layers: [ipv4('10.0.0.254', '10.0.0.1'), { layer: 'icmp', type: 3, code: 1, quoted: layers }],
  payload: new Uint8Array(),
  cut: false,
});

const inVxlan = ({ layers, ...rest }: Decoded): Decoded => ({
  ...rest,
  layers: [
    ipv4('198.18.1.20', '198.18.1.31'),
    { layer: 'udp', sourcePort: 4789, destinationPort: 4789, length: 134 },
    { layer: 'vxlan', vni: 369 },
    ...layers,
  ],
});

const found = (decoded: Decoded, probe = icmp, addresses: readonly string[] = [probe.to]): Recognised | undefined =>
  recognise(decoded, probe, mark, addresses);

/** What is found in a real capture, in its order. */
const inCapture = (name: string, probe: Probe): readonly (Recognised | undefined)[] =>
  capture(name).records.map(({ bytes }) => recognise(decodeFrame(1, bytes), probe, mark, [probe.to]));
const ways = (all: readonly (Recognised | undefined)[]): string[] =>
  all.flatMap((one) => (one === undefined ? [] : [`${one.resolution ? 'resolution ' : ''}${one.way}`]));

describe('a ping of the trace', () => {
  it('is known by its mark and has the number that ping gave it', () => {
    expect(found(request())).toEqual({ way: 'there', identity: 3, resolution: false });
    expect(found(answer(request()))).toEqual({ way: 'back', identity: 3, resolution: false });
  });

  it('is known after its addresses and its id were translated', () => {
    expect(found(request({ source: '203.0.113.9', destination: '198.19.0.186', id: 999 }))).toEqual(found(request()));
  });

  it('is known inside a tunnel', () => {
    expect(found(inVxlan(request()))).toEqual(found(request()));
  });

  it('is known although the capture cut its payload off behind the first bytes of the mark', () => {
    const { layers, payload } = request();
    expect(found({ layers, payload: payload.subarray(0, 20), cut: true })).toEqual(found(request()));
    expect(found({ layers, payload: payload.subarray(0, 19), cut: true })).toBeUndefined();
  });

  it('is not a ping of somebody else between the same two ends', () => {
    expect(found(request({ mark: Uint8Array.from([1, 2, 3, 4, 5, 6, 7, 8]) }))).toBeUndefined();
    expect(ways(inCapture('lb-net1-eth1-vxlan', { ...icmp, from: '10.0.0.2' }))).toEqual([]);
  });

  it('is not the ICMP error that quotes it: that is a refusal on its way back', () => {
    expect(found(refusing(request()))).toEqual({ way: 'back', identity: 3, resolution: false });
    expect(found(refusing(request({ source: '203.0.113.9' })))).toBeUndefined();
    expect(found(refusing(request({ destination: '10.0.0.3' })))).toBeUndefined();
    expect(found(refusing(answer(request({ source: '10.0.0.94', destination: '10.0.0.1' }))))).toBeUndefined();
  });

  it('is refused by real routers with the number of the packet that they quote', () => {
    const probe = { ...icmp, from: '10.1.0.1', to: '10.2.0.1' };
    const errors = capture('routed-errors').records.flatMap(({ bytes }) => {
      const decoded = decodeFrame(1, bytes);
      const last = decoded.layers.at(-1);
      return last?.layer === 'icmp' && last.quoted !== undefined ? [recognise(decoded, probe, mark, [probe.to])] : [];
    });
    expect(errors.filter((one) => one !== undefined)).not.toEqual([]);
    for (const one of errors) expect(one?.way ?? 'back').toBe('back');
  });

  it('is one of IPv6 as well', () => {
    const six = request({ source: v6.from, destination: v6.to, sequence: 0xffff });
    expect(found(six, v6)).toEqual({ way: 'there', identity: 0xffff, resolution: false });
    expect(
      found(
        changed(six, (l) => (l.layer === 'icmpv6' ? { ...l, type: 129 } : l)),
        v6,
      )?.way,
    ).toBe('back');
  });

  it('is found as often in each recorded capture as its node says that it caught packets', async () => {
    const { hosts } = await bundleAt('demo/trace-stopped.tgz');
    let points = 0;
    for (const { commands } of hosts.values()) {
      for (const { argv, outcome } of commands) {
        if (argv[0] !== 'tcpdump' || !outcome.ok) continue;
        const bytes = Buffer.from(outcome.value.stdout, 'base64');
        const caught = Number(/(\d+) packets captured/.exec(outcome.value.stderr)?.[1]);
        // Headers of a pcap and of each record: pcap-savefile(5).
        const numbers = new Set<number>();
        for (let at = 24; at < bytes.length; at += 16 + bytes.readUInt32LE(at + 8)) {
          const frame = bytes.subarray(at + 16, at + 16 + bytes.readUInt32LE(at + 8));
          const one = found(decodeFrame(1, frame));
          expect(one).toMatchObject({ way: 'there', resolution: false });
          numbers.add(one?.identity ?? -1);
        }
        expect(numbers.size).toBe(caught);
        points += 1;
      }
    }
    expect(points).toBe(7);
  });
});

describe('a connection of the trace', () => {
  const isn = 0xffff_ffff;
  const syn = segment('10.0.0.1', tcp.to, ['syn'], { seq: isn });

  it('is known by its initial sequence number, which its answer acknowledges', () => {
    expect(found(syn, tcp)).toEqual({ way: 'there', identity: isn, resolution: false });
    const synAck = segment(tcp.to, '10.0.0.1', ['syn', 'ack'], { seq: 5, ack: 0 });
    expect(found(synAck, tcp)).toEqual({ way: 'back', identity: isn, resolution: false });
  });

  it('is the same one when its first packet is sent again', () => {
    expect(found(segment('10.0.0.1', tcp.to, ['syn'], { seq: isn }), tcp)).toEqual(found(syn, tcp));
  });

  it('is answered by a refusal, be it of the other end or of a machine on the way', () => {
    expect(found(refusing(syn), tcp)).toEqual({ way: 'back', identity: isn, resolution: false });
    expect(found(refusing(segment('203.0.113.9', tcp.to, ['syn'], { seq: 1 })), tcp)).toBeUndefined();
    const refused = segment(tcp.to, '10.0.0.1', ['rst', 'ack'], { seq: 0, ack: 0 });
    expect(found(refused, tcp)).toEqual({ way: 'back', identity: isn, resolution: false });
  });

  it('is not what comes later: acknowledgements, data, and the reset of an open connection', () => {
    expect(found(segment('10.0.0.1', tcp.to, ['ack'], { seq: 6, ack: 7 }), tcp)).toBeUndefined();
    expect(found(segment('10.0.0.1', tcp.to, ['rst'], { seq: 6 }), tcp)).toBeUndefined();
    expect(found(segment(tcp.to, '10.0.0.1', ['psh', 'ack'], { seq: 6, ack: 7 }), tcp)).toBeUndefined();
    expect(found(segment(tcp.to, '10.0.0.1', ['rst', 'ack'], { seq: 6, ack: 7 }), tcp)).toBeUndefined();
  });

  it('is not one of another client to the same port, which everybody may use', () => {
    expect(found(segment('203.0.113.9', tcp.to, ['syn'], { seq: 1 }), tcp)).toBeUndefined();
    expect(found(segment(tcp.to, '203.0.113.9', ['syn', 'ack'], { seq: 1, ack: 9 }), tcp)).toBeUndefined();
  });

  it('is not one that the instance itself makes to the same port of somebody else', () => {
    const own = segment(tcp.to, '203.0.113.9', ['syn'], { seq: 1, ports: [50000, 22] });
    expect(found(own, tcp)).toBeUndefined();
    expect(found(own, { ...tcp, from: '' })).toBeUndefined();
  });

  it('is known before and after translation, when the sender does not know its own address', () => {
    const through = { ...tcp, from: '', to: '198.19.0.186' };
    const addresses = ['198.19.0.186', '10.0.0.147'];
    for (const to of addresses) {
      expect(found(segment('203.0.113.9', to, ['syn'], { seq: 8, ports: [9, 22] }), through, addresses)).toEqual({
        way: 'there',
        identity: 8,
        resolution: false,
      });
    }
  });

  it('is found in a real capture beside the resolution for it', () => {
    const all = inCapture('lb-net1-router-tap', tcp);
    expect(ways(all)).toEqual(['resolution there', 'resolution back', 'there', 'back']);
    const [, , there, back] = all;
    expect(back?.identity).toBe(there?.identity);
    expect(ways(inCapture('lb-net1-router-tap', { ...tcp, port: 443 }))).toEqual([
      'resolution there',
      'resolution back',
    ]);
  });
});

describe('a datagram of the trace', () => {
  it('has the mark, its number behind it, and the port', () => {
    expect(found(datagram(53, [...mark, 4]), udp)).toEqual({ way: 'there', identity: 4, resolution: false });
  });

  it('is no other one to the same port, nor one to another port', () => {
    expect(found(datagram(53, [1, 2, 3, 4, 5, 6, 7, 8, 4]), udp)).toBeUndefined();
    expect(found(datagram(54, [...mark, 4]), udp)).toBeUndefined();
    expect(found(datagram(53, [...mark]), udp)).toBeUndefined();
  });
});

describe('address resolution', () => {
  const who = (operation: 'request' | 'reply' | number, sender: string, target: string): Decoded => ({
    layers: [{ layer: 'arp', operation, sender, target, senderMac: echo.sourceMac, targetMac: echo.destinationMac }],
    payload: new Uint8Array(),
    cut: false,
  });

  it.each([
    ['who-has the answering end', 'request', '10.0.0.1', '10.0.0.94', 'there'],
    ['is-at of the answering end', 'reply', '10.0.0.94', '10.0.0.1', 'back'],
    ['who-has the sender', 'request', '10.0.0.94', '10.0.0.1', 'back'],
    ['is-at of the sender', 'reply', '10.0.0.1', '10.0.0.94', 'there'],
  ] as const)('%s goes the way on which it travels', (_, operation, sender, target, way) => {
    for (const probe of [icmp, tcp, udp, arp].map((p) => ({ ...p, to: '10.0.0.94' }))) {
      expect(found(who(operation, sender, target), probe)).toEqual({ way, identity: 0, resolution: true });
    }
  });

  it('of others is none of it', () => {
    expect(found(who('request', '10.0.0.3', '10.0.0.94'))).toBeUndefined();
    expect(found(who('request', '10.0.0.1', '10.0.0.3'))).toBeUndefined();
    expect(found(who('request', '10.0.0.94', '10.0.0.94'))).toBeUndefined();
  });

  it('of IPv6 is solicitation and advertisement, in a tunnel too', () => {
    const way = ['resolution there', 'resolution back'];
    expect(ways(inCapture('lb-net1-dual-stack', v6))).toEqual(way);
    // The solicitation is flooded to two hosts.
    expect(ways(inCapture('lb-net1-eth1-vxlan', v6))).toEqual(['resolution there', ...way]);
  });
});
