import type { FactFailure } from '../../engine/failure.ts';
import type { Result } from '../../engine/result.ts';
import type { Command, CommandResult } from '../../nodes/command.ts';
import { decodeFrame } from '../../nodes/parse/frame/decode.ts';
import { parsePcap, parseTcpdumpStatistics } from '../../nodes/parse/pcap.ts';
import type { Sighting, Watch } from '../../path/trace/observation.ts';
import type { Point } from '../../path/trace/point.ts';
import { recognise } from '../../path/trace/recognise.ts';
import type { PlannedLeg } from './leg.ts';
import { lettersOf, markOf, transactionOf } from './mark.ts';
import { type Answer, answerIn } from './offers.ts';

/** Headers of a ping in a tunnel and the beginning of its pattern: 50 + 14 + 40 + 8 + 16 + 8, and tags. */
const snapLength = 160;
/** More than any probe makes; a flood of ARP or of somebody's pings ends the capture, and what came later was not seen. */
const packetLimit = 1000;
/** tcpdump's own default: every packet as it is. */
const wholePacket = 262_144;
const bytesOf = (whole: boolean, snap: number): number => (whole ? 4 * 1024 * 1024 : packetLimit * (snap + 16) + 24);
/** An offer is told by its options: 50 + 14 + 20 + 8 + 240, and as many more as a client need take (RFC 2131, 2: 312). */
const offerLength = 644;
export const snapOf = ({ leg }: PlannedLeg): number => (leg.probe.protocol === 'dhcp' ? offerLength : snapLength);
/** tcpdump says this when its filter is in place and it reads. */
const listening = 'listening on';
/** By how much a capture outlives its probe when nobody ends it: other hosts may begin later. */
const graceSeconds = 12;

/** @param seconds what the probe may take */
export const captureCommand = (
  point: Point,
  filter: string,
  round: string,
  whole: boolean,
  seconds: number,
  snap = snapLength,
): Command => ({
  // -p: a device that is made promiscuous takes in what it refused before, and a trace must not heal what it looks at.
  argv: [
    'tcpdump',
    '-i',
    point.device,
    '-n',
    '-p',
    '-U',
    '--immediate-mode',
    '-s',
    String(whole ? wholePacket : snap),
    '-c',
    String(packetLimit),
    '-w',
    '-',
    filter,
  ],
  impact: 'capture',
  become: true,
  parallel: true,
  encoding: 'base64',
  listens: listening,
  timeoutSeconds: seconds + graceSeconds,
  maxBytes: bytesOf(whole, snap),
  round,
  ...(point.netns === undefined ? {} : { netns: point.netns }),
});

/**
 * pcap_activate(3PCAP): the device is not there, or it is not up; anything else is our own blindness. So is a capture that ended before the
 * probe did: what is not in it may have come by.
 */
export function watchOf(result: Result<CommandResult, FactFailure>): Watch {
  if (!result.ok) return { kind: 'blind', why: whyBlind(result.error) };
  const { stderr, truncated } = result.value;
  if (/No such device|Cannot open network namespace/i.test(stderr)) return { kind: 'absent' };
  if (/is not up|went down|Network is down/i.test(stderr)) return { kind: 'down' };
  const counted = parseTcpdumpStatistics(stderr);
  if (!stderr.includes(listening)) {
    return { kind: 'blind', why: stderr.trim().split('\n').at(-1) || 'tcpdump did not start' };
  }
  if (counted === undefined) return { kind: 'blind', why: 'its capture was cut off' };
  const { captured, droppedByKernel, droppedByInterface } = counted;
  if (truncated || captured >= packetLimit) return { kind: 'blind', why: 'more packets came by than a capture takes' };
  return { kind: 'watched', captured, dropped: droppedByKernel + (droppedByInterface ?? 0) };
}

function whyBlind(failure: FactFailure): string {
  switch (failure.kind) {
    case 'missing-tool':
      return 'tcpdump is not installed';
    case 'sudo':
      return 'root is needed to capture';
    case 'timeout':
      return 'the host did not answer in time';
    case 'unreachable':
      return `the host could not be reached (${failure.detail})`;
    default:
      return 'it could not be captured';
  }
}

/** What one capture saw of the probe, before its packets have their numbers. */
export type Seen = Omit<Sighting, 'sequence'> & { readonly identity: number; readonly resolution: boolean };

export function seenIn(
  planned: PlannedLeg,
  point: number,
  stdout: string,
): { readonly seen: readonly Seen[]; readonly answers: readonly Answer[]; readonly bytes: number } {
  const bytes = Buffer.from(stdout, 'base64');
  const capture = parsePcap(bytes);
  if (!capture.ok) return { seen: [], answers: [], bytes: bytes.length };
  const { probe } = planned.leg;
  const mark = probe.protocol === 'udp' ? Buffer.from(lettersOf(markOf(planned))) : markOf(planned);
  const answers: Answer[] = [];
  const seen = capture.value.records.flatMap((frame): Seen[] => {
    const decoded = decodeFrame(capture.value.linkType, frame.bytes);
    const answer =
      probe.protocol === 'dhcp' ? answerIn(decoded.layers, point, frame.at, transactionOf(planned, 0)) : undefined;
    if (answer !== undefined) answers.push(answer);
    const found = recognise(decoded, probe, mark, planned.addresses);
    return found === undefined
      ? []
      : [
          {
            point,
            way: found.way,
            identity: found.identity,
            resolution: found.resolution,
            at: frame.at,
            layers: decoded.layers,
            length: frame.length,
          },
        ];
  });
  return { seen, answers, bytes: bytes.length };
}

/**
 * Gives every packet its number. ping and our datagrams number theirs; connections are numbered by their initial sequence number in the
 * order in which they were first seen; who-has, where it is the probe itself, by its order at each point.
 */
export function numbered(planned: PlannedLeg, seen: readonly Seen[]): readonly Sighting[] {
  const { protocol } = planned.leg.probe;
  const ordered = [...seen].sort((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0));
  const connections = new Map<number, number>();
  const rounds = new Map<string, number>();
  const asked = new Set(seen.filter((s) => s.way === 'there' && !s.resolution).map((s) => s.identity));
  return ordered.flatMap(({ identity, resolution, ...rest }): Sighting | readonly Sighting[] => {
    if (resolution && protocol !== 'arp') return { ...rest, sequence: 0 };
    if (resolution) {
      const place = `${rest.point} ${rest.way}`;
      const next = (rounds.get(place) ?? 0) + 1;
      rounds.set(place, next);
      return { ...rest, sequence: next };
    }
    if (protocol !== 'tcp' || planned.leg.probe.initial !== undefined) return { ...rest, sequence: identity };
    // A guest repeats its answer for a minute where the third packet of an earlier connection was lost: none of these was asked for now.
    if (rest.way === 'back' && !asked.has(identity)) return [];
    const known = connections.get(identity) ?? connections.size + 1;
    connections.set(identity, known);
    return { ...rest, sequence: known };
  });
}
