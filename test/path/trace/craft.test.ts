import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeFrame } from '../../../src/nodes/parse/frame/decode.ts';
import {
  type Crafted,
  discover,
  discoverFrame,
  discoverSize,
  echoFrame,
  resetFrame,
  synFrame,
  synSize,
} from '../../../src/path/trace/craft.ts';
import { recognise } from '../../../src/path/trace/recognise.ts';
import { switchFlow } from '../../../src/path/trace/switch-flow.ts';
import { ipv4, ipv6 } from '../../nodes/parse/frame/encode.ts';

const word = fc.integer({ min: 0, max: 0xffff });
const mac = fc
  .uint8Array({ minLength: 6, maxLength: 6 })
  .map((bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join(':'));
const crafted = (address: fc.Arbitrary<string>): fc.Arbitrary<Crafted> =>
  fc.record({
    sourceMac: mac,
    destinationMac: mac,
    source: address,
    destination: address,
    id: word,
    sequence: word,
    mark: fc.uint8Array({ minLength: 8, maxLength: 8 }),
  });
const any = fc.oneof(crafted(ipv4), crafted(ipv6));
const bytesOf = (packet: Crafted): Buffer => Buffer.from(echoFrame(packet), 'hex');

/** One's complement sum of 16-bit words, in the arithmetic modulo 65535 that it is (RFC 1071, 2): 0 of what holds its own checksum. */
function remainder(bytes: Uint8Array): bigint {
  return [...bytes].reduce((sum, byte, at) => sum + (BigInt(byte) << (at % 2 === 0 ? 8n : 0n)), 0n) % 65535n;
}

describe('an echo request as a guest would send it', () => {
  it('is read back as what was asked for', () => {
    fc.assert(
      fc.property(any, (asked) => {
        const six = asked.source.includes(':');
        const { layers, payload, cut } = decodeFrame(1, bytesOf(asked));
        const { source, destination, id, sequence } = asked;
        expect(cut).toBe(false);
        expect(layers).toMatchObject([
          { layer: 'ethernet', source: asked.sourceMac, destination: asked.destinationMac },
          six
            ? { layer: 'ipv6', source, destination, hopLimit: 64, nextHeader: 58, payloadLength: 64 }
            : { layer: 'ipv4', source, destination, ttl: 64, protocol: 1, totalLength: 84, dontFragment: true },
          { layer: six ? 'icmpv6' : 'icmp', type: six ? 128 : 8, code: 0, id, sequence },
        ]);
        expect(Buffer.from(payload).subarray(16).toString('hex')).toBe(
          Buffer.from(asked.mark).toString('hex').repeat(5),
        );
      }),
    );
  });

  it('has right checksums, or the guest would drop it', () => {
    fc.assert(
      fc.property(crafted(ipv4), (asked) => {
        const frame = bytesOf(asked);
        expect([remainder(frame.subarray(14, 34)), remainder(frame.subarray(34))]).toEqual([0n, 0n]);
        expect([frame.readUInt16BE(24), frame.readUInt16BE(36)]).not.toContain(0xffff);
      }),
    );
    fc.assert(
      fc.property(crafted(ipv6), (asked) => {
        const frame = bytesOf(asked);
        const message = frame.subarray(54);
        // RFC 8200, 8.1: the addresses, the length, and the next header.
        const pseudo = [...frame.subarray(22, 54), 0, 0, message.length >> 8, message.length & 0xff, 0, 0, 0, 58];
        expect(remainder(Buffer.from([...pseudo, ...message]))).toBe(0n);
      }),
    );
  });

  it('is recognised wherever it comes by', () => {
    fc.assert(
      fc.property(any, (asked) => {
        const probe = { protocol: 'icmp', from: asked.source, to: asked.destination, count: 1, size: 84 } as const;
        expect(recognise(decodeFrame(1, bytesOf(asked)), probe, asked.mark, [probe.to])).toEqual({
          way: 'there',
          identity: asked.sequence,
          resolution: false,
        });
      }),
    );
  });

  it('can be asked about at a switch', () => {
    fc.assert(
      fc.property(any, (asked) => {
        const flow = switchFlow(decodeFrame(1, bytesOf(asked)).layers) ?? '';
        expect(flow.split(',')).toEqual(expect.arrayContaining([`dl_src=${asked.sourceMac}`, 'nw_ttl=64']));
      }),
    );
  });

  it('is made of addresses only', () => {
    const packet = { sourceMac: 'fa:16:3e:00:00:01', destinationMac: 'fa:16:3e:00:00:02', id: 1, sequence: 1 };
    expect(() =>
      echoFrame({ ...packet, source: 'web-1', destination: '10.0.0.1', mark: Uint8Array.from([1]) }),
    ).toThrow('no address: web-1');
  });
});

const transaction = fc.integer({ min: 0, max: 0xffffffff });

/** Of an IPv4 frame: what the checksums of UDP and TCP cover (RFC 768, RFC 9293). */
function covered(frame: Buffer): Buffer {
  const message = frame.subarray(34);
  const pseudo = [...frame.subarray(26, 34), 0, frame.readUInt8(23), message.length >> 8, message.length & 0xff];
  return Buffer.from([...pseudo, ...message]);
}

describe('a DHCP request as a guest would send it', () => {
  it('asks from nobody and everybody for the lease of its MAC address', () => {
    fc.assert(
      fc.property(mac, transaction, (client, id) => {
        const frame = Buffer.from(discoverFrame(client, id), 'hex');
        const { layers, cut } = decodeFrame(1, frame);
        expect(cut).toBe(false);
        expect(layers).toMatchObject([
          { layer: 'ethernet', source: client, destination: 'ff:ff:ff:ff:ff:ff' },
          { layer: 'ipv4', source: '0.0.0.0', destination: '255.255.255.255', protocol: 17, totalLength: discoverSize },
          { layer: 'udp', sourcePort: 68, destinationPort: 67 },
          { layer: 'dhcp', operation: 'request', type: 'discover', transaction: id, clientMac: client },
        ]);
        expect([remainder(frame.subarray(14, 34)), remainder(covered(frame))]).toEqual([0n, 0n]);
      }),
    );
  });

  it('never asks for an address or a lease: nothing may change by it', () => {
    const { layers } = decodeFrame(1, Buffer.from(discoverFrame('fa:16:3e:00:00:01', 7), 'hex'));
    const [request] = layers.filter((l) => l.layer === 'dhcp');
    expect(request).not.toHaveProperty('requestedAddress');
    expect(request).not.toHaveProperty('clientAddress');
  });

  it('is recognised by its transaction, and numbered by its last byte', () => {
    const probe = { protocol: 'dhcp', from: '0.0.0.0', to: '255.255.255.255', count: 3, size: discoverSize } as const;
    const mark = Uint8Array.from([0xa5, 0xb9, 0xfd, 0x77, 1, 2, 3, 4]);
    const seen = (id: number) =>
      recognise(decodeFrame(1, Buffer.from(discoverFrame('fa:16:3e:00:00:01', id), 'hex')), probe, mark, ['10.0.0.2']);
    expect(seen(0xa5b9fd02)).toEqual({ way: 'there', identity: 2, resolution: false });
    expect(seen(0xa5b9fe02)).toBeUndefined();
  });

  it('is recognised when it comes from another port than a client has: somebody asks in its name', () => {
    const message = Buffer.from(discover('fa:16:3e:00:00:01', 0xa5b9fd03));
    const probe = { protocol: 'dhcp', from: '10.0.0.1', to: '10.0.0.2', count: 3, size: discoverSize } as const;
    const layers = [{ layer: 'udp', sourcePort: 50164, destinationPort: 67, length: 308 }] as const;
    const mark = Uint8Array.from([0xa5, 0xb9, 0xfd, 0x77]);
    expect(recognise({ layers, payload: message, cut: false }, probe, mark, ['10.0.0.2'])).toMatchObject({
      way: 'there',
      identity: 3,
    });
  });
});

describe('a connection that is opened packet by packet', () => {
  const where = fc.record({ sourceMac: mac, destinationMac: mac, source: ipv4, destination: ipv4 });
  const ports = fc.record({ sourcePort: word, destinationPort: word, sequence: transaction });

  it('begins with a packet that any TCP takes, and is ended by the next', () => {
    fc.assert(
      fc.property(where, ports, (addressed, segment) => {
        const { sourcePort, destinationPort, sequence } = segment;
        const opening = Buffer.from(synFrame(addressed, segment), 'hex');
        const ending = Buffer.from(resetFrame(addressed, segment), 'hex');
        const ends = { layer: 'tcp', sourcePort, destinationPort };
        const [, ip, first] = decodeFrame(1, opening).layers;
        expect(ip).toMatchObject({
          source: addressed.source,
          destination: addressed.destination,
          totalLength: synSize,
        });
        expect(first).toMatchObject({ ...ends, seq: sequence, flags: ['syn'], mss: 1360 });
        expect(decodeFrame(1, ending).layers[2]).toMatchObject({ ...ends, seq: (sequence + 1) >>> 0, flags: ['rst'] });
        for (const frame of [opening, ending]) {
          expect([remainder(frame.subarray(14, 34)), remainder(covered(frame))]).toEqual([0n, 0n]);
        }
      }),
    );
  });

  it('is told from those of others by the sequence number that it was given', () => {
    const probe = {
      protocol: 'tcp',
      port: 80,
      from: '10.0.0.9',
      to: '169.254.169.254',
      count: 3,
      size: synSize,
      initial: 0xffffffff,
    } as const;
    const seen = (sequence: number) => {
      const frame = synFrame(
        {
          sourceMac: 'fa:16:3e:00:00:01',
          destinationMac: 'fa:16:3e:00:00:02',
          source: probe.from,
          destination: probe.to,
        },
        { sourcePort: 40_000, destinationPort: 80, sequence },
      );
      return recognise(decodeFrame(1, Buffer.from(frame, 'hex')), probe, new Uint8Array(8), [probe.to])?.identity;
    };
    expect([0xffffffff, 0, 1, 2, 0xfffffffe].map(seen)).toEqual([1, 2, 3, undefined, undefined]);
  });
});
