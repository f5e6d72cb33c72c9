import type { Bundle } from '../../src/bundle/open.ts';
import type { Command } from '../../src/nodes/command.ts';
import { judge } from '../../src/nodes/command-failure.ts';
import { type Decoded, decodeFrame } from '../../src/nodes/parse/frame/decode.ts';

/** What `tcpdump -w` writes in front of the frames, and of each frame (pcap-savefile(5), little endian). */
const fileHeader = 24;
const recordHeader = 16;
const linkTypeAt = 20;
const capturedAt = 8;
const lengthAt = 12;

type Ran = NonNullable<ReturnType<Bundle['hosts']['get']>>['commands'][number];

/** What is left of a frame; undefined when nothing is. */
type Edit = (frame: Buffer, decoded: Decoded) => Buffer | undefined;

function edited(stdout: string, edit: Edit): { readonly stdout: string; readonly kept: number } {
  const bytes = Buffer.from(stdout, 'base64');
  const linkType = bytes.readUInt32LE(linkTypeAt);
  const parts = [bytes.subarray(0, fileHeader)];
  for (let at = fileHeader; at < bytes.length; ) {
    const start = at + recordHeader;
    const end = start + bytes.readUInt32LE(at + capturedAt);
    const frame = edit(Buffer.from(bytes.subarray(start, end)), decodeFrame(linkType, bytes.subarray(start, end)));
    if (frame !== undefined) {
      const header = Buffer.from(bytes.subarray(at, start));
      header.writeUInt32LE(frame.length, capturedAt);
      header.writeUInt32LE(frame.length, lengthAt);
      parts.push(Buffer.concat([header, frame]));
    }
    at = end;
  }
  return { stdout: Buffer.concat(parts).toString('base64'), kept: parts.length - 1 };
}

const isCapture = ({ argv }: Ran, device: string | undefined): boolean =>
  argv[0] === 'tcpdump' && (device === undefined || argv.includes(device));

/** The records of captures on a host (on one device, or on all), edited. */
function editingCaptures(bundle: Bundle, host: string, device: string | undefined, edit: (ran: Ran) => Ran): Bundle {
  const there = bundle.hosts.get(host);
  const commands = there?.commands.map((ran) => (isCapture(ran, device) ? edit(ran) : ran));
  if (there === undefined || commands === undefined || !there.commands.some((ran) => isCapture(ran, device))) {
    throw new Error(`${bundle.file} has no capture of ${device ?? 'anything'} on ${host}`);
  }
  return { ...bundle, hosts: new Map([...bundle.hosts, [host, { ...there, commands }]]) };
}

/** Each frame that came by at a device (at every device of the host without one), as `edit` leaves it. */
export const editingFrames = (bundle: Bundle, host: string, device: string | undefined, edit: Edit): Bundle =>
  editingCaptures(bundle, host, device, (ran) => {
    if (!ran.outcome.ok) return ran;
    const { stdout, kept } = edited(ran.outcome.value.stdout, edit);
    const stderr = ran.outcome.value.stderr.replace(/\d+ packets captured/, `${kept} packets captured`);
    return { ...ran, outcome: { ok: true, value: { ...ran.outcome.value, stdout, stderr } } };
  });

/** As if the frames that `dropped` says had not come by. */
export const withoutFrames = (
  bundle: Bundle,
  host: string,
  device: string | undefined,
  dropped: (decoded: Decoded) => boolean,
): Bundle => editingFrames(bundle, host, device, (frame, decoded) => (dropped(decoded) ? undefined : frame));

/** What the node said instead, where nothing was caught. */
export const captureFailing = (
  bundle: Bundle,
  host: string,
  device: string | undefined,
  said: { readonly code: number | null; readonly stderr: string; readonly timedOut?: boolean },
): Bundle =>
  editingCaptures(bundle, host, device, (ran) => {
    if (!ran.outcome.ok) return ran;
    const [tool = 'tcpdump', ...rest] = ran.argv;
    const command: Command = { argv: [tool, ...rest], impact: 'capture', become: true };
    const judged = judge(host, 'ops', command, { ...ran.outcome.value, stdout: '', ...said });
    return { ...ran, outcome: judged.ok ? judged : { ...judged, batch: false } };
  });

/** As if the kernel had lost so many frames before tcpdump read them. */
export const captureLosing = (bundle: Bundle, host: string, device: string | undefined, lost: number): Bundle =>
  editingCaptures(bundle, host, device, (ran) => {
    if (!ran.outcome.ok) return ran;
    const stderr = ran.outcome.value.stderr.replace('0 packets dropped by kernel', `${lost} packets dropped by kernel`);
    return { ...ran, outcome: { ok: true, value: { ...ran.outcome.value, stderr } } };
  });

/** An echo request, or the answer to one, in whatever it is carried. */
export const isEcho = ({ layers }: Decoded): boolean => {
  const last = layers.at(-1);
  return (last?.layer === 'icmp' && last.type === 8) || (last?.layer === 'icmpv6' && last.type === 128);
};
export const isReply = ({ layers }: Decoded): boolean => {
  const last = layers.at(-1);
  return (last?.layer === 'icmp' && last.type === 0) || (last?.layer === 'icmpv6' && last.type === 129);
};

/** Ethernet's two addresses; what VXLAN puts in front of the frame it carries (14 + 20 + 8 + 8). */
const macs = 12;
const vxlan = 50;

/** In the place of an echo request the question for its destination that would have come first (RFC 826), in the same tunnel. */
export function asWhoHas(frame: Buffer, { layers }: Decoded): Buffer {
  const ip = layers.findLast((l) => l.layer === 'ipv4');
  const ethernet = layers.findLast((l) => l.layer === 'ethernet');
  if (ip?.layer !== 'ipv4' || ethernet?.layer !== 'ethernet') throw new Error('no ping of IPv4');
  const address = (text: string): number[] => text.split('.').map(Number);
  const mac = ethernet.source.split(':').map((byte) => Number.parseInt(byte, 16));
  const arp = [0, 1, 8, 0, 6, 4, 0, 1, ...mac, ...address(ip.source), 0, 0, 0, 0, 0, 0, ...address(ip.destination)];
  const start = layers.some((l) => l.layer === 'vxlan') ? vxlan : 0;
  return Buffer.concat([frame.subarray(0, start + macs), Buffer.from([8, 6, ...arp])]);
}
