import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Capture, parsePcap, parseTcpdumpStatistics } from '../../../src/nodes/parse/pcap.ts';
import { understood } from './fixtures.ts';
import { capture, captureNames, pcapBytes } from './frame/captures.ts';

interface Written {
  readonly seconds?: number;
  readonly fraction?: number;
  readonly captured?: number;
  readonly length?: number;
  readonly bytes?: Uint8Array;
}

interface Style {
  readonly littleEndian?: boolean;
  readonly nanoseconds?: boolean;
  readonly snapLength?: number;
  readonly linkType?: number;
  readonly version?: readonly [number, number];
}

/** A capture file as pcap-savefile(5) describes it; `captured` and `length` may lie about `bytes`. */
function pcap(records: readonly Written[], style: Style = {}): Uint8Array {
  const { littleEndian = true, nanoseconds = false, snapLength = 262_144, linkType = 1, version = [2, 4] } = style;
  const size = records.reduce((sum, { bytes }) => sum + 16 + (bytes?.length ?? 0), 24);
  const file = new Uint8Array(size);
  const view = new DataView(file.buffer);
  view.setUint32(0, nanoseconds ? 0xa1b23c4d : 0xa1b2c3d4, littleEndian);
  view.setUint16(4, version[0], littleEndian);
  view.setUint16(6, version[1], littleEndian);
  view.setUint32(16, snapLength, littleEndian);
  view.setUint32(20, linkType, littleEndian);
  let at = 24;
  for (const { seconds = 1, fraction = 0, bytes = new Uint8Array(), captured, length } of records) {
    view.setUint32(at, seconds, littleEndian);
    view.setUint32(at + 4, fraction, littleEndian);
    view.setUint32(at + 8, captured ?? bytes.length, littleEndian);
    view.setUint32(at + 12, length ?? captured ?? bytes.length, littleEndian);
    file.set(bytes, at + 16);
    at += 16 + bytes.length;
  }
  return file;
}

const frame = (length: number): Uint8Array => Uint8Array.from({ length }, (_, at) => at & 0xff);
const read = (file: Uint8Array): Capture => understood(parsePcap(file));
const lengths = (file: Uint8Array): readonly number[] => read(file).records.map(({ bytes }) => bytes.length);

describe('a capture file', () => {
  test.each([
    ['little endian, microseconds', { littleEndian: true, nanoseconds: false }, 1_700_000_000_000_123_000n],
    ['big endian, microseconds', { littleEndian: false, nanoseconds: false }, 1_700_000_000_000_123_000n],
    ['little endian, nanoseconds', { littleEndian: true, nanoseconds: true }, 1_700_000_000_000_000_123n],
    ['big endian, nanoseconds', { littleEndian: false, nanoseconds: true }, 1_700_000_000_000_000_123n],
  ])('%s: times, lengths and bytes are what was written', (_, style, at) => {
    const written = { seconds: 1_700_000_000, fraction: 123, bytes: frame(60), length: 1514 };
    expect(read(pcap([written, { bytes: frame(3) }], { ...style, snapLength: 60, linkType: 276 }))).toEqual({
      linkType: 276,
      snapLength: 60,
      records: [
        { at, length: 1514, bytes: frame(60) },
        { at: 1_000_000_000n, length: 3, bytes: frame(3) },
      ],
      cutOff: false,
    });
  });

  test('time does not end in 2038', () => {
    expect(read(pcap([{ seconds: 0xffff_ffff }])).records[0]?.at).toBe(4_294_967_295_000_000_000n);
  });

  test('without a packet it is a capture of none', () => {
    expect(read(pcap([]))).toMatchObject({ records: [], cutOff: false });
  });

  test('the link type is told without the bits about check sequences', () => {
    expect(read(pcap([], { linkType: 0x2400_0001 })).linkType).toBe(1);
  });

  test.each(captureNames)('%s, cut anywhere, gives the whole records before the cut and says so', (name) => {
    const file = pcapBytes(name);
    const { records } = capture(name);
    let whole = 24;
    const ends = [24, ...records.map(({ bytes }) => (whole += 16 + bytes.length))];
    expect(ends.at(-1)).toBe(file.length);
    for (let size = 24; size < file.length; size += 1) {
      const cut = read(file.subarray(0, size));
      const last = ends.findLastIndex((end) => end <= size);
      expect(cut.records.length).toBe(last);
      expect(cut.cutOff).toBe(ends[last] !== size);
    }
    expect(capture(name).cutOff).toBe(false);
  });

  test('frames are views of the file, not copies', () => {
    const file = pcap([{ bytes: frame(4) }]);
    expect(read(file).records[0]?.bytes.buffer).toBe(file.buffer);
  });
});

describe('a hostile capture file', () => {
  const good = { bytes: frame(40) };

  test.each<[string, Written, Style]>([
    ['more captured than the snap length', { bytes: frame(65) }, { snapLength: 64 }],
    ['more captured than 256 KiB', { bytes: frame(262_145) }, { snapLength: 0xffff_ffff }],
    ['a negative captured length', { captured: 0xffff_ffff }, {}],
    ['a captured length of 2 GiB', { captured: 0x8000_0000 }, { snapLength: 0xffff_ffff }],
    ['more captured than was on the wire', { bytes: frame(40), length: 39 }, {}],
    ['a negative length on the wire', { bytes: frame(40), length: 0xffff_fffe }, {}],
    ['more microseconds than a second has', { bytes: frame(40), fraction: 1_000_000 }, {}],
  ])('%s ends the reading with what was whole', (_, bad, style) => {
    const file = pcap([good, good, bad, good], style);
    expect(read(file)).toMatchObject({ records: [{ length: 40 }, { length: 40 }], cutOff: true });
  });

  test('a snap length of 0 means no limit but 256 KiB', () => {
    expect(lengths(pcap([good, { bytes: frame(262_144) }], { snapLength: 0 }))).toEqual([40, 262_144]);
  });

  test.each<[string, Uint8Array]>([
    ['nothing at all', new Uint8Array()],
    ['half a header', pcap([]).subarray(0, 23)],
    ['a message', Buffer.from('tcpdump: nosuch0: No such device exists\n')],
    ['pcapng', Uint8Array.from([0x0a, 0x0d, 0x0d, 0x0a, ...frame(40)])],
    ['another version', pcap([good], { version: [2, 2] })],
  ])('%s is a failure that shows how it begins', (_, file) => {
    const result = parsePcap(file);
    expect(result).toMatchObject({ ok: false, error: { kind: 'parse', what: 'tcpdump -w -' } });
    if (!result.ok) expect(result.error.line).toMatch(/^(?:[\da-f]{2}(?: |$)){0,24}$/);
  });

  test('never throws, and every record lies within the file', () => {
    const header = pcap([]);
    const damaged = fc
      .tuple(fc.constantFrom(...captureNames.map(pcapBytes), header), fc.uint8Array({ maxLength: 60 }), fc.nat())
      .map(([file, noise, place]) => {
        const at = place % (file.length + 1);
        return Uint8Array.from([...file.subarray(0, at), ...noise, ...file.subarray(at + noise.length)]);
      });
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 200 }), damaged), (file) => {
        const result = parsePcap(file);
        if (!result.ok) return;
        const { records, snapLength, cutOff } = result.value;
        const taken = records.reduce((sum, { bytes }) => sum + 16 + bytes.length, 24);
        expect(cutOff ? taken < file.length : taken === file.length).toBe(true);
        for (const { length, bytes } of records) {
          expect(bytes.length).toBeLessThanOrEqual(Math.min(length, snapLength || 262_144, 262_144));
        }
      }),
      { numRuns: 300 },
    );
  });
});

describe("tcpdump's statistics", () => {
  const recorded = (name: string) =>
    parseTcpdumpStatistics(
      readFileSync(new URL(`../../fixtures/captures/tcpdump-4.99.3-${name}.txt`, import.meta.url), 'utf8'),
    );

  test('are read in the singular and the plural', () => {
    expect(recorded('one')).toEqual({ captured: 1, received: 4, droppedByKernel: 0 });
    expect(
      parseTcpdumpStatistics('\n3 packets captured\n1 packet received by filter\n1 packet dropped by kernel\n'),
    ).toEqual({ captured: 3, received: 1, droppedByKernel: 1 });
  });

  test('say what the interface dropped when it dropped something', () => {
    const told = (line: string) =>
      parseTcpdumpStatistics(
        `2 packets captured\n2 packets received by filter\n0 packets dropped by kernel\n${line}\n`,
      );
    expect(told('1 packet dropped by interface')?.droppedByInterface).toBe(1);
    expect(told('27 packets dropped by interface')?.droppedByInterface).toBe(27);
    expect(told('')).not.toHaveProperty('droppedByInterface');
  });

  test('are the last ones when tcpdump was asked for them before', () => {
    expect(recorded('usr1')).toEqual({ captured: 0, received: 4, droppedByKernel: 0 });
    expect(
      parseTcpdumpStatistics('tcpdump: 7 packets captured, 8 packets received by filter, 1 packet dropped by kernel\n'),
    ).toEqual({ captured: 7, received: 8, droppedByKernel: 1 });
  });

  test('of a tcpdump that did not end, or could not tell, are none', () => {
    expect(recorded('no-such-device')).toBeUndefined();
    expect(parseTcpdumpStatistics('')).toBeUndefined();
    const lines = ['5 packets captured', '6 packets received by filter', '0 packets dropped by kernel'];
    expect(parseTcpdumpStatistics(lines.join('\n'))).toBeDefined();
    for (const lacking of lines) {
      expect(parseTcpdumpStatistics(lines.filter((line) => line !== lacking).join('\n'))).toBeUndefined();
    }
    expect(parseTcpdumpStatistics('5 packets captured\ntcpdump: pcap_stats: recvfrom failed\n')).toBeUndefined();
    const first = 'tcpdump: 7 packets captured, 8 packets received by filter, 0 packets dropped by kernel\n';
    expect(parseTcpdumpStatistics(`${first}9 packets captured\n`)).toBeUndefined();
  });

  test('are found behind whatever else stands on stderr', () => {
    const text = [
      "tcpdump: WARNING: any: That device doesn't support promiscuous mode",
      '(Promiscuous mode not supported on the "any" device)',
      'tcpdump: listening on any, link-type LINUX_SLL2 (Linux cooked v2), snapshot length 128 bytes',
      '12 packets captured\r',
      '12 packets received by filter\r',
      '0 packets dropped by kernel\r',
      '',
    ].join('\n');
    expect(parseTcpdumpStatistics(text)).toEqual({ captured: 12, received: 12, droppedByKernel: 0 });
  });

  test('any text has statistics or none', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        const told = parseTcpdumpStatistics(text);
        if (told !== undefined) expect(told.captured).toBeGreaterThanOrEqual(0);
      }),
    );
  });
});
