import type { Bundle } from '../../src/bundle/open.ts';
import { type Decoded, decodeFrame } from '../../src/nodes/parse/frame/decode.ts';

/** What `tcpdump -w` writes in front of the frames, and of each frame (pcap-savefile(5), little endian). */
const fileHeader = 24;
const recordHeader = 16;
const linkTypeAt = 20;
const capturedAt = 8;

type Ran = NonNullable<ReturnType<Bundle['hosts']['get']>>['commands'][number];

/** A capture without the frames that `dropped` says, and what tcpdump counts then. */
function thinned(
  stdout: string,
  dropped: (decoded: Decoded) => boolean,
): { readonly stdout: string; readonly kept: number } {
  const bytes = Buffer.from(stdout, 'base64');
  const linkType = bytes.readUInt32LE(linkTypeAt);
  const parts = [bytes.subarray(0, fileHeader)];
  for (let at = fileHeader; at < bytes.length; ) {
    const start = at + recordHeader;
    const end = start + bytes.readUInt32LE(at + capturedAt);
    if (!dropped(decodeFrame(linkType, bytes.subarray(start, end)))) parts.push(bytes.subarray(at, end));
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

/** As if the frames that `dropped` says had not come by at a device (at every device of the host without one). */
export const withoutFrames = (
  bundle: Bundle,
  host: string,
  device: string | undefined,
  dropped: (decoded: Decoded) => boolean,
): Bundle =>
  editingCaptures(bundle, host, device, (ran) => {
    if (!ran.outcome.ok) return ran;
    const { stdout, kept } = thinned(ran.outcome.value.stdout, dropped);
    const stderr = ran.outcome.value.stderr.replace(/\d+ packets captured/, `${kept} packets captured`);
    return { ...ran, outcome: { ok: true, value: { ...ran.outcome.value, stdout, stderr } } };
  });

/** What tcpdump said instead, where it caught nothing. */
export const captureFailing = (
  bundle: Bundle,
  host: string,
  device: string | undefined,
  said: { readonly code: number | null; readonly stderr: string; readonly timedOut?: boolean },
): Bundle =>
  editingCaptures(bundle, host, device, (ran) =>
    ran.outcome.ok ? { ...ran, outcome: { ok: true, value: { ...ran.outcome.value, stdout: '', ...said } } } : ran,
  );

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
