import { ok, type Result } from '../../engine/result.ts';
import { decimal, linesOf, type ParseFailure, parseFailure, present } from './parsing.ts';

export interface CapturedFrame {
  /** Nanoseconds since the epoch, by the clock of the host that captured. */
  readonly at: bigint;
  /** Bytes on the wire; `bytes` may hold fewer. */
  readonly length: number;
  /** What the snap length left of the frame. A view into the file's bytes, not a copy. */
  readonly bytes: Uint8Array;
}

export interface Capture {
  /** What the frames begin with: a LINKTYPE_ number of https://www.tcpdump.org/linktypes.html. */
  readonly linkType: number;
  readonly snapLength: number;
  readonly records: readonly CapturedFrame[];
  /** The file does not end with a whole record: the link was lost, its size was bounded, or a record cannot be one. */
  readonly cutOff: boolean;
}

const WHAT = 'tcpdump -w -';
const FILE_HEADER = 24;
const RECORD_HEADER = 16;
/** libpcap's MAXIMUM_SNAPLEN; no tcpdump writes a longer record. */
const LONGEST = 262_144;
/** Lengths are signed in libpcap's older readers; what is negative there is no length. */
const LONGEST_ON_THE_WIRE = 0x7fff_ffff;

/** How a file that begins with this number, read with the first byte foremost, writes its numbers and times. */
const MAGIC: ReadonlyMap<number, { readonly littleEndian: boolean; readonly nanosecondsPerUnit: number }> = new Map([
  [0xa1b2c3d4, { littleEndian: false, nanosecondsPerUnit: 1000 }],
  [0xd4c3b2a1, { littleEndian: true, nanosecondsPerUnit: 1000 }],
  [0xa1b23c4d, { littleEndian: false, nanosecondsPerUnit: 1 }],
  [0x4d3cb2a1, { littleEndian: true, nanosecondsPerUnit: 1 }],
]);

/**
 * Reads a capture file of the classic format (pcap-savefile(5), version 2.4), of either byte order, with times in
 * micro- or nanoseconds. Whatever the file holds after its header, the whole records before the first that is not one
 * are given: where the file was cut, or where a length cannot be (more captured than the snap length, more than
 * 256 KiB, or more than was on the wire). Only bytes without such a header are a failure.
 */
export function parsePcap(bytes: Uint8Array): Result<Capture, ParseFailure> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const written = bytes.length >= FILE_HEADER ? MAGIC.get(view.getUint32(0)) : undefined;
  if (written === undefined) return parseFailure(WHAT, firstBytes(bytes));
  const { littleEndian, nanosecondsPerUnit } = written;
  const number = (at: number): number => view.getUint32(at, littleEndian);
  if (view.getUint16(4, littleEndian) !== 2 || view.getUint16(6, littleEndian) !== 4) {
    return parseFailure(WHAT, firstBytes(bytes));
  }
  const snapLength = number(16);
  const mostCaptured = snapLength === 0 ? LONGEST : Math.min(snapLength, LONGEST);

  const records: CapturedFrame[] = [];
  let at = FILE_HEADER;
  while (at + RECORD_HEADER <= bytes.length) {
    const nanoseconds = number(at + 4) * nanosecondsPerUnit;
    const captured = number(at + 8);
    const length = number(at + 12);
    const possible = captured <= mostCaptured && captured <= length && length <= LONGEST_ON_THE_WIRE;
    if (!possible || nanoseconds >= 1e9) break;
    const start = at + RECORD_HEADER;
    const end = start + captured;
    if (end > bytes.length) break;
    const time = BigInt(number(at)) * 1_000_000_000n + BigInt(nanoseconds);
    records.push({ at: time, length, bytes: bytes.subarray(start, end) });
    at = end;
  }
  // The upper bits say whether frames end with a check sequence (libpcap LT_LINKTYPE).
  return ok({ linkType: number(20) & 0x03ff_ffff, snapLength, records, cutOff: at < bytes.length });
}

function firstBytes(bytes: Uint8Array): string {
  return Array.from(bytes.subarray(0, FILE_HEADER), (byte) => byte.toString(16).padStart(2, '0')).join(' ');
}

export interface TcpdumpStatistics {
  /** Frames that tcpdump wrote. */
  readonly captured: number;
  /** Frames that the filter took, those that were dropped afterwards included. */
  readonly received: number;
  /** Frames that were lost because tcpdump did not read fast enough: their absence is no loss on the way. */
  readonly droppedByKernel: number;
  /** Frames that the device or its driver lost while tcpdump ran; absent when there were none. */
  readonly droppedByInterface?: number;
}

/**
 * The counts that tcpdump prints on stderr when it ends: one a line, or in one line after SIGUSR1 (tcpdump 4.99,
 * `info()` in tcpdump.c). Nothing when one of them lacks: tcpdump was killed, or could not begin, or the kernel did not
 * tell (`pcap_stats` failed). The last ones count.
 */
export function parseTcpdumpStatistics(stderr: string): TcpdumpStatistics | undefined {
  const told = new Map<string, number>();
  for (const line of linesOf(stderr)) {
    for (const [, digits, what = ''] of line.matchAll(
      /\b(\d+) packets? (captured|received by filter|dropped by kernel|dropped by interface)(?=,|\s*$)/g,
    )) {
      const count = decimal(digits);
      if (what === 'captured') told.clear();
      if (count !== undefined) told.set(what, count);
    }
  }
  const captured = told.get('captured');
  const received = told.get('received by filter');
  const droppedByKernel = told.get('dropped by kernel');
  if (captured === undefined || received === undefined || droppedByKernel === undefined) return undefined;
  return present({ captured, received, droppedByKernel, droppedByInterface: told.get('dropped by interface') });
}
