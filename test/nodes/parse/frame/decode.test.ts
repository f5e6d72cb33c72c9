import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Decoded, decodeFrame } from '../../../../src/nodes/parse/frame/decode.ts';
import type { Layer } from '../../../../src/nodes/parse/frame/layer.ts';
import { capture, captureNames } from './captures.ts';
import { anyFrame, joined } from './encode.ts';

const ETHERNET = 1;
const RAW = 101;
const linkTypes = [1, 12, 101, 113, 276, 147];

/** Bytes of a frame, written as in a standard: hexadecimal, spaces ignored. */
const hex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text.replace(/\s/g, ''), 'hex'));

/** The same bytes in the midst of others, which must make no difference. */
function within(bytes: Uint8Array, other: number): Uint8Array {
  const around = new Uint8Array(bytes.length + 400).fill(other);
  around.set(bytes, 200);
  return around.subarray(200, 200 + bytes.length);
}

function decodedSafely(linkType: number, bytes: Uint8Array): Decoded {
  const decoded = decodeFrame(linkType, within(bytes, 0));
  expect(decodeFrame(linkType, within(bytes, 0xff))).toEqual(decoded);
  expect(decoded.payload.length).toBeLessThanOrEqual(bytes.length);
  return decoded;
}

/** Every layer that is told of the cut frame is one of the whole frame; only a quote may end earlier. */
function expectBeginning(cut: readonly Layer[], whole: readonly Layer[]): void {
  expect(cut.length).toBeLessThanOrEqual(whole.length);
  for (const [at, layer] of cut.entries()) {
    const original = whole[at];
    if ('quoted' in layer && original !== undefined && 'quoted' in original) {
      expect({ ...layer, quoted: [] }).toEqual({ ...original, quoted: [] });
      expectQuote(layer.quoted ?? [], original.quoted ?? []);
    } else if (original?.layer === 'icmp' || original?.layer === 'icmpv6') {
      expect(original).toMatchObject(layer);
    } else {
      expect(layer).toEqual(original);
    }
  }
}

/** Of a quoted TCP header the first eight bytes are enough. */
function expectQuote(cut: readonly Layer[], whole: readonly Layer[]): void {
  expect(cut.length).toBeLessThanOrEqual(whole.length);
  for (const [at, layer] of cut.entries()) expect(whole[at]).toMatchObject(layer);
}

describe('any bytes', () => {
  test('are decoded without a throw, and nothing outside of them is read', () => {
    fc.assert(
      fc.property(fc.constantFrom(...linkTypes), fc.uint8Array({ maxLength: 300 }), (linkType, bytes) => {
        decodedSafely(linkType, bytes);
      }),
      { numRuns: 600 },
    );
  });

  test('that begin like real frames are, too', () => {
    const frames = captureNames.flatMap((name) => {
      const { linkType, records } = capture(name);
      return records.map(({ bytes }) => ({ linkType, bytes }));
    });
    const damage = fc.array(fc.tuple(fc.nat(160), fc.integer({ min: 0, max: 255 })), { minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(fc.constantFrom(...frames), damage, fc.nat(), ({ linkType, bytes }, changes, end) => {
        const damaged = bytes.slice(0, end % 2 === 0 ? bytes.length : end % (bytes.length + 1));
        for (const [at, value] of changes) if (at < damaged.length) damaged[at] = value;
        decodedSafely(linkType, damaged);
      }),
      { numRuns: 600 },
    );
  });

  test.each<[string, Uint8Array]>([
    ['VLAN tags', joined(Array<number>(12).fill(2), ...Array<number[]>(65_000).fill([0x81, 0, 0, 1]))],
    ['IPv4 in IPv4', repeated('45000000 00000000 40040000 0a000001 0a000002')],
    ['IPv6 in IPv6', repeated('60000000 00002940 00000000000000000000000000000001 00000000000000000000000000000002')],
    ['extension headers', joined(hex('60000000 00000040'), new Uint8Array(262_136))],
    ['ICMP errors that quote ICMP errors', repeated('45000000 00000000 40010000 0a000001 0a000002 0301000000000000')],
    ['GRE in IPv4', repeated('45000000 00000000 402f0000 0a000001 0a000002 00000800')],
  ])('of %s without end end nevertheless, soon', (what, bytes) => {
    const started = performance.now();
    const { layers } = decodeFrame(what === 'VLAN tags' ? ETHERNET : RAW, bytes);
    expect(performance.now() - started).toBeLessThan(1000);
    expect(layers.length).toBeLessThanOrEqual(65);
  });
});

function repeated(header: string): Uint8Array {
  const bytes = hex(header);
  return joined(...Array<Uint8Array>(Math.floor(262_144 / bytes.length)).fill(bytes));
}

describe('every layer', () => {
  test('is read as it was written, whatever carries it', () => {
    fc.assert(
      fc.property(anyFrame, ({ linkType, bytes, layers, payload }) => {
        expect(decodeFrame(linkType, bytes)).toEqual({ layers, payload, cut: false });
      }),
      { numRuns: 600 },
    );
  });

  test('is told of a cut frame when it was captured as a whole, and not otherwise', () => {
    fc.assert(
      fc.property(anyFrame, fc.nat(), ({ linkType, bytes, layers }, place) => {
        const cut = decodedSafely(linkType, bytes.subarray(0, place % (bytes.length + 1)));
        if (layers.every(({ layer }) => layer !== 'unknown')) expectBeginning(cut.layers, layers);
      }),
      { numRuns: 600 },
    );
  });
});

describe.each(captureNames)('%s', (name) => {
  test('cut at any byte, every frame gives the layers that are whole and says that it was cut', () => {
    const { linkType, records } = capture(name);
    for (const { bytes } of records) {
      const whole = decodeFrame(linkType, bytes);
      let before = 0;
      for (let size = 0; size < Math.min(bytes.length, 400); size += 1) {
        const cut = decodeFrame(linkType, bytes.subarray(0, size));
        expectBeginning(cut.layers, whole.layers);
        expect(cut.cut).toBe(true);
        expect(cut.layers.length).toBeGreaterThanOrEqual(before);
        before = cut.layers.length;
      }
    }
  });
});

describe('an ICMP error', () => {
  const outer = '45000038 00000000 40010000 0a000001 0a000002';

  test('that quotes eight bytes of TCP tells its ports and its sequence number, no flags', () => {
    const quote = '45000590 12344000 3f060000 0a000002 c6336401 c0000016 00000001';
    const decoded = decodeFrame(RAW, hex(`${outer} 0304000000000578 ${quote}`));
    expect(decoded).toMatchObject({ cut: false, layers: [{ layer: 'ipv4' }, { layer: 'icmp', mtu: 1400 }] });
    expect(decoded.layers[1]).toHaveProperty('quoted', [
      expect.objectContaining({ layer: 'ipv4', destination: '198.51.100.1', dontFragment: true, totalLength: 1424 }),
      { layer: 'tcp', sourcePort: 49_152, destinationPort: 22, seq: 1 },
    ]);
  });

  test('quotes what there is of a packet, and nothing when there is nothing', () => {
    const quote = '45000590 12344000 3f060000 0a000002 c6336401';
    const header = '45000030 00000000 40010000 0a000001 0a000002 0b00000000000000';
    expect(decodeFrame(RAW, hex(`${header} ${quote}`)).layers[1]).toMatchObject({ quoted: [{ layer: 'ipv4' }] });
    const bare = '4500001c 00000000 40010000 0a000001 0a000002 0b00000000000000';
    expect(decodeFrame(RAW, hex(bare)).layers[1]).toEqual({ layer: 'icmp', type: 11, code: 0 });
  });

  test('with extensions quotes no more than its length says (RFC 4884)', () => {
    const quote = '4500001c 00000000 01110000 0a000002 c6336401 c000829a 00080000';
    const extensions = '2000dead 00080101 00064140';
    const header = '45000044 00000000 40010000 0a000001 0a000002';
    const { layers } = decodeFrame(RAW, hex(`${header} 0b000000 00070000 ${quote} ${extensions}`));
    expect(layers[1]).toMatchObject({ quoted: [{ layer: 'ipv4' }, { layer: 'udp', destinationPort: 33_434 }] });
  });

  const quotedUdp = '4500001c 00000000 01110000 0a000002 c6336401 00010002 00080000';
  const quotedUdp6 = `60000000 00081140 ${'0'.repeat(31)}1 ${'0'.repeat(31)}2 00010002 00080000`;
  const about = [expect.anything(), { layer: 'udp', sourcePort: 1, destinationPort: 2, length: 8 }];

  test.each([3, 4, 5, 11, 12])('of type %i quotes what it is about', (type) => {
    const kind = type.toString(16).padStart(2, '0');
    const { layers } = decodeFrame(RAW, hex(`${outer} ${kind}00000000000000 ${quotedUdp}`));
    expect(layers[1]).toMatchObject({ type, quoted: about });
  });

  test.each([1, 2, 3, 4])('of ICMPv6 type %i quotes what it is about', (type) => {
    const header = `60000000 00383a40 ${'0'.repeat(31)}1 ${'0'.repeat(31)}2 0${type}000000`;
    // The first byte of an MTU or of a pointer is no length of the quote.
    const second = type === 2 || type === 4 ? '01000000' : '00000000';
    const { layers } = decodeFrame(RAW, hex(`${header} ${second} ${quotedUdp6}`));
    expect(layers[1]).toMatchObject({ type, quoted: about });
    const short = decodeFrame(RAW, hex(`${header} 05000000 ${quotedUdp6}`)).layers[1];
    expect(short).toHaveProperty('quoted.length', type === 1 || type === 3 ? 1 : 2);
  });

  test.each([0, 8, 13, 14])('is not what type %i is: it has an id and a sequence number', (type) => {
    const kind = type.toString(16).padStart(2, '0');
    const { layers } = decodeFrame(RAW, hex(`${outer} ${kind}00000012340005 ${quotedUdp}`));
    expect(layers[1]).toEqual({ layer: 'icmp', type, code: 0, id: 0x1234, sequence: 5 });
  });

  test('is not followed into an error that it quotes', () => {
    const inner = '45000038 00000000 40010000 0a000003 0a000004 0301000000000000';
    const quoted = '4500001c 00000000 40110000 0a000004 0a000003 00010002 00080000';
    const header = '45000054 00000000 40010000 0a000001 0a000002 0301000000000000';
    const { layers } = decodeFrame(RAW, hex(`${header} ${inner} ${quoted}`));
    expect(layers[1]).toMatchObject({ quoted: [{ layer: 'ipv4' }, { layer: 'icmp', type: 3 }] });
    expect(layers[1]).not.toHaveProperty('quoted.1.quoted');
  });
});

describe('neighbour discovery', () => {
  const message = (type: string, body: string): readonly Layer[] => {
    const size = (4 + body.replace(/\s/g, '').length / 2).toString(16).padStart(4, '0');
    return decodeFrame(RAW, hex(`60000000 ${size} 3aff ${'0'.repeat(31)}1 ${'0'.repeat(31)}2 ${type}000000 ${body}`))
      .layers;
  };

  test('a redirect tells the better hop and its MAC, whatever options come first', () => {
    const body = `00000000 ${'fe80'.padEnd(31, '0')}9 ${'fd01'.padEnd(31, '0')}7`;
    const layers = message('89', `${body} 0501000000000578 0201fa163e00000a`);
    expect(layers[1]).toEqual({
      layer: 'icmpv6',
      type: 137,
      code: 0,
      target: 'fe80::9',
      linkAddress: 'fa:16:3e:00:00:0a',
      mtu: 1400,
    });
    expect(message('89', body)[1]).toEqual({ layer: 'icmpv6', type: 137, code: 0, target: 'fe80::9' });
  });

  test('an option without a length, or longer than the message, is malformed', () => {
    const what = (options: string) => message('85', `00000000 ${options}`).at(-1);
    expect(what('0101fa163e00000a')).toMatchObject({ type: 133, linkAddress: 'fa:16:3e:00:00:0a' });
    expect(what('0100fa163e00000a')).toEqual({ layer: 'unknown', what: 'malformed neighbour discovery' });
    expect(what('0102fa163e00000a')).toEqual({ layer: 'unknown', what: 'short neighbour discovery option' });
  });
});

describe('what a frame holds besides', () => {
  const addresses = 'fa163e000001 fa163e000002';

  test('Ethernet padding is no payload', () => {
    const packet = '4500001d 00000000 40110000 0a000001 0a000002 00010002 00090000 78';
    const { payload, cut } = decodeFrame(ETHERNET, hex(`${addresses} 0800 ${packet} 0000000000000000000000000000`));
    expect([...payload]).toEqual([0x78]);
    expect(cut).toBe(false);
  });

  test('a large segment whose length the kernel left open reaches to the end of the frame', () => {
    const header = '45000000 00004000 40060000 0a000001 0a000002 00160016 00000001 00000002 50100100 00000000';
    const { layers, payload, cut } = decodeFrame(RAW, joined(hex(header), new Uint8Array(70_000)));
    expect(layers).toMatchObject([{ totalLength: 0 }, { layer: 'tcp', flags: ['ack'] }]);
    expect(payload.length).toBe(70_000);
    expect(cut).toBe(false);
  });

  test('a TCP option without room for its length ends the options', () => {
    const header = '4500002c 00000000 40060000 0a000001 0a000002 00160016 00000001 00000002 60120100 00000000';
    const tcp = (options: string) => decodeFrame(RAW, hex(`${header} ${options}`)).layers[1];
    expect(tcp('020405b4')).toMatchObject({ layer: 'tcp', mss: 1460 });
    const longer = '45000030 00000000 40060000 0a000001 0a000002 00160016 00000001 00000002 70020100 00000000';
    for (const options of ['01 020405b4 010101', '030308 01 020405b4', '0101 0402 020405b4']) {
      expect(decodeFrame(RAW, hex(`${longer} ${options}`)).layers[1]).toMatchObject({ mss: 1460 });
    }
    for (const options of ['01010102', '01020405', '02000000', '00020405']) {
      expect(tcp(options)).toMatchObject({ layer: 'tcp', flags: ['syn', 'ack'] });
      expect(tcp(options)).not.toHaveProperty('mss');
    }
  });

  test('DHCP options may end with the datagram, and may not go beyond it', () => {
    const dhcp = (options: string): Decoded => {
      const fixed = `02010600 0000abcd ${'00'.repeat(20)} fa163e00000a ${'00'.repeat(202)} 63825363 ${options}`;
      const size = 28 + hex(fixed).length;
      const lengths = [size, size - 20].map((length) => length.toString(16).padStart(4, '0'));
      const headers = `4500${lengths[0]} 00000000 40110000 0a000001 0a000002 00430044 ${lengths[1]}0000`;
      return decodeFrame(RAW, hex(`${headers} ${fixed}`));
    };
    const ack = { layer: 'dhcp', operation: 'reply', transaction: 0xabcd, clientMac: 'fa:16:3e:00:00:0a', type: 'ack' };
    expect(dhcp('350105').layers.at(-1)).toEqual(ack);
    expect(dhcp('350105 00 350102 ff 350106').layers.at(-1)).toEqual(ack);
    // Name servers (option 6), and classless routes (option 121, RFC 3442) of which the last is cut off.
    expect(dhcp('350105 0608 c6130001 c6130002 7913 20a9fea9fe0a000001 000a000001 18c0a800 ff').layers.at(-1)).toEqual({
      ...ack,
      nameServers: ['198.19.0.1', '198.19.0.2'],
      routes: ['169.254.169.254/32 via 10.0.0.1', '0.0.0.0/0 via 10.0.0.1'],
    });
    expect(dhcp('350105 0602 c613 7901 ff').layers.at(-1)).toEqual({ ...ack, routes: [] });
    for (const options of ['350105 36', '350105 3604', '350105 36040a0000']) {
      expect(dhcp(options)).toMatchObject({ cut: false });
      expect(dhcp(options).layers.at(-1)).toEqual({ layer: 'unknown', what: 'short DHCP options' });
    }
  });

  test('a datagram whose length the kernel left open reaches to the end, a shorter one to its length', () => {
    const udp = (length: string): string =>
      Buffer.from(
        decodeFrame(RAW, hex(`4500001f 00000000 40110000 0a000001 0a000002 00010002 ${length}0000 414243`)).payload,
      ).toString();
    expect(udp('0000')).toBe('ABC');
    expect(udp('000b')).toBe('ABC');
    expect(udp('0009')).toBe('A');
    expect(udp('ffff')).toBe('ABC');
  });

  test('IPv6 without a next header has no payload layer', () => {
    const header = `60000000 00043b40 ${'0'.repeat(31)}1 ${'0'.repeat(31)}2 01020304`;
    expect(decodeFrame(RAW, hex(header))).toMatchObject({ layers: [{ layer: 'ipv6', protocol: 59 }], cut: false });
  });

  test.each<[string, number, string, string]>([
    ['another link type', 147, '00', 'link type 147'],
    ['another EtherType', ETHERNET, `${addresses} 88cc 0207`, 'EtherType 0x88cc'],
    ['an IEEE 802.3 frame', ETHERNET, `${addresses} 0003 424203`, 'IEEE 802.3 frame'],
    [
      'the longest length of an IEEE 802.3 frame',
      ETHERNET,
      `${addresses} 05ff ${'42'.repeat(0x5ff)}`,
      'IEEE 802.3 frame',
    ],
    ['the lowest EtherType', ETHERNET, `${addresses} 0600 424203`, 'EtherType 0x0600'],
    ['another IP protocol', RAW, '45000014 00000000 40590000 0a000001 0a000002', 'IP protocol 89'],
    ['another IP version', RAW, '50', 'IP of another version than 4 and 6'],
    ['an IPv4 header shorter than there is', RAW, '44000014 00000000 40110000 0a000001 0a000002', 'malformed IPv4'],
    ['IPv4 shorter than its own header', RAW, '46000014 00000000 40110000 0a000001 0a000002', 'malformed IPv4'],
    ['a UDP header that IP has no room for', RAW, '45000018 00000000 40110000 0a000001 0a000002 00010002', 'short UDP'],
    [
      'a TCP header shorter than there is',
      RAW,
      '45000028 00000000 40060000 0a000001 0a000002 00010002 00000000 00000000 40020000 00000000',
      'malformed TCP',
    ],
    [
      'VXLAN whose VNI is not valid',
      RAW,
      '45000024 00000000 40110000 0a000001 0a000002 000112b5 00100000 f700000000000100',
      'VXLAN without a valid VNI',
    ],
    [
      'GRE of version 1',
      RAW,
      '4500001c 00000000 402f0000 0a000001 0a000002 2001880b 00000000',
      'GRE of another version than 0',
    ],
    [
      'ARP for something else',
      ETHERNET,
      `${addresses} 0806 ${'00'.repeat(28)}`,
      'ARP that is not for IPv4 on Ethernet',
    ],
  ])('%s is said to be unknown', (_, linkType, frame, what) => {
    const { layers, cut } = decodeFrame(linkType, hex(frame));
    expect(layers.at(-1)).toEqual({ layer: 'unknown', what });
    expect(cut).toBe(false);
  });
});
