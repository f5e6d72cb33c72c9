import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeFrame } from '../../../src/nodes/parse/frame/decode.ts';
import { type Crafted, echoFrame } from '../../../src/path/trace/craft.ts';
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
