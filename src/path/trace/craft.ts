import { parseAddress } from '../addresses.ts';

/** An echo request as a guest would send it. */
export interface Crafted {
  readonly sourceMac: string;
  readonly destinationMac: string;
  readonly source: string;
  readonly destination: string;
  /** ICMP identifier and sequence, 16 bits each. */
  readonly id: number;
  readonly sequence: number;
  readonly mark: Uint8Array;
}

const macBytes = (mac: string): number[] => mac.split(':').map((part) => Number.parseInt(part, 16));

function addressBytes(address: string): number[] {
  const parsed = parseAddress(address);
  if (parsed === undefined) throw new Error(`no address: ${address}`);
  const length = parsed.family === 4 ? 4 : 16;
  return Array.from({ length }, (_, at) => Number((parsed.value >> BigInt(8 * (length - 1 - at))) & 0xffn));
}

const word = (value: number): number[] => [(value >> 8) & 0xff, value & 0xff];

/** The Internet checksum (RFC 1071) of an even number of bytes. */
function checksum(bytes: readonly number[]): number {
  let sum = 0;
  for (let at = 0; at < bytes.length; at += 2) sum += ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
  return ~sum & 0xffff;
}

/** Where ping(8) has its time; the pattern follows. */
const blank = 16;
const payloadLength = 56;
const hops = 64;

/** An Ethernet frame with an ICMP or ICMPv6 echo request, as hexadecimal digits. Checksums are right: guests drop what has wrong ones. */
export function echoFrame({ sourceMac, destinationMac, source, destination, id, sequence, mark }: Crafted): string {
  const [from, to] = [addressBytes(source), addressBytes(destination)];
  const six = from.length === 16;
  const payload = Array.from({ length: payloadLength }, (_, at) =>
    at < blank ? 0 : (mark[(at - blank) % mark.length] ?? 0),
  );
  const echo = (sum: number): number[] => [six ? 128 : 8, 0, ...word(sum), ...word(id), ...word(sequence), ...payload];
  const length = echo(0).length;
  // RFC 4443, 2.3: the checksum of ICMPv6 covers a pseudo header of addresses, length and next header.
  const pseudo = six ? [...from, ...to, 0, 0, ...word(length), 0, 0, 0, 58] : [];
  const message = echo(checksum([...pseudo, ...echo(0)]));
  const v4 = (sum: number): number[] => [
    ...[0x45, 0, ...word(20 + length), ...word(sequence), 0x40, 0, hops, 1],
    ...word(sum),
    ...from,
    ...to,
  ];
  const header = six ? [0x60, 0, 0, 0, ...word(length), 58, hops, ...from, ...to] : v4(checksum(v4(0)));
  const type = six ? [0x86, 0xdd] : [0x08, 0x00];
  const frame = [...macBytes(destinationMac), ...macBytes(sourceMac), ...type, ...header, ...message];
  return Buffer.from(frame).toString('hex');
}

const longWord = (value: number): number[] => [...word(value >>> 16), ...word(value & 0xffff)];

/** Where a frame goes, and in whose name. IPv4 only: what a guest begins by itself is DHCP and metadata of IPv4. */
export interface Addressed {
  readonly sourceMac: string;
  readonly destinationMac: string;
  readonly source: string;
  readonly destination: string;
}

/** RFC 791; the checksums of UDP and TCP cover a pseudo header of addresses, protocol and length (RFC 768, RFC 9293). */
function frame4(
  { sourceMac, destinationMac, source, destination }: Addressed,
  id: number,
  protocol: number,
  message: (sum: number) => readonly number[],
): string {
  const [from, to] = [addressBytes(source), addressBytes(destination)];
  const bare = message(0);
  const pseudo = [...from, ...to, 0, protocol, ...word(bare.length)];
  const padding = bare.length % 2 === 0 ? [] : [0];
  const header = (sum: number): number[] => [
    ...[0x45, 0, ...word(20 + bare.length), ...word(id), 0x40, 0, hops, protocol],
    ...word(sum),
    ...from,
    ...to,
  ];
  return Buffer.from([
    ...macBytes(destinationMac),
    ...macBytes(sourceMac),
    ...[0x08, 0x00],
    ...header(checksum(header(0))),
    ...message(checksum([...pseudo, ...bare, ...padding])),
  ]).toString('hex');
}

/** The shortest message that every server and relay takes (RFC 1542, 2.1). */
const leastBootp = 300;
/** Of the IP packet that a DISCOVER is. */
export const discoverSize = 20 + 8 + leastBootp;
/** Subnet mask, router, name servers, MTU, lease time, server, classless routes: what there is to compare. */
const wantedOptions = [1, 3, 6, 26, 51, 54, 121];

/**
 * A DHCPDISCOVER (RFC 2131) of a client without an address. A server answers it with an offer and keeps nothing of it: only a REQUEST makes a
 * lease. The offer comes to the client itself (no broadcast flag), which throws away what it did not ask for by this transaction.
 */
export function discover(clientMac: string, transaction: number): Uint8Array {
  const message = [
    ...[1, 1, 6, 0, ...longWord(transaction), ...word(0), ...word(0)],
    ...Array.from({ length: 16 }, () => 0),
    ...macBytes(clientMac),
    ...Array.from({ length: 10 + 64 + 128 }, () => 0),
    ...[0x63, 0x82, 0x53, 0x63, 53, 1, 1, 55, wantedOptions.length, ...wantedOptions, 255],
  ];
  return Uint8Array.from({ length: leastBootp }, (_, at) => message[at] ?? 0);
}

/** The frame in which a client sends its DISCOVER: from nobody, to all. */
export const discoverFrame = (clientMac: string, transaction: number): string =>
  frame4(
    { sourceMac: clientMac, destinationMac: 'ff:ff:ff:ff:ff:ff', source: '0.0.0.0', destination: '255.255.255.255' },
    transaction & 0xff,
    17,
    (sum) => [...word(68), ...word(67), ...word(8 + leastBootp), ...word(sum), ...discover(clientMac, transaction)],
  );

/** Of the IP packet that opens a connection here: a TCP header with the option of its segment size. */
export const synSize = 20 + 24;
const window = 64_240;
const segmentSize = 1360;

interface Segment {
  readonly sourcePort: number;
  readonly destinationPort: number;
  readonly sequence: number;
}

/** A frame with the first packet of a connection. */
export const synFrame = (where: Addressed, { sourcePort, destinationPort, sequence }: Segment): string =>
  frame4(where, sequence & 0xffff, 6, (sum) => [
    ...word(sourcePort),
    ...word(destinationPort),
    ...longWord(sequence >>> 0),
    ...longWord(0),
    ...[0x60, 0x02, ...word(window), ...word(sum), ...word(0)],
    ...[2, 4, ...word(segmentSize)],
  ]);

/** A frame that ends a connection of which only the first packet was sent, so that nobody waits for the next (RFC 9293, 3.10.7.4). */
export const resetFrame = (where: Addressed, { sourcePort, destinationPort, sequence }: Segment): string =>
  frame4(where, (sequence + 1) & 0xffff, 6, (sum) => [
    ...word(sourcePort),
    ...word(destinationPort),
    ...longWord((sequence + 1) >>> 0),
    ...longWord(0),
    ...[0x50, 0x04, ...word(0), ...word(sum), ...word(0)],
  ]);
