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
