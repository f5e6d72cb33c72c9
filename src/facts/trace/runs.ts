import { createHash } from 'node:crypto';
import type { Evidence } from '../../engine/evidence.ts';
import { type FactResult, observed } from '../../engine/fact.ts';
import type { FactFailure } from '../../engine/failure.ts';
import { err, ok, type Result } from '../../engine/result.ts';
import { fullArgv } from '../../nodes/batch.ts';
import type { Command, CommandResult } from '../../nodes/command.ts';
import { decodeFrame } from '../../nodes/parse/frame/decode.ts';
import { parsePcap, parseTcpdumpStatistics } from '../../nodes/parse/pcap.ts';
import { echoFrame } from '../../path/trace/craft.ts';
import { captureFilter } from '../../path/trace/filter.ts';
import type { Observation, Sighting, Watch } from '../../path/trace/observation.ts';
import { nameOfPoint, type Point } from '../../path/trace/point.ts';
import { recognise } from '../../path/trace/recognise.ts';
import { connectCommand, endingOf } from '../connect.ts';
import { type Store, showing, source } from '../io.ts';
import { sendPing } from '../ping.ts';
import type { PortSubject } from '../subject.ts';
import { type PlannedLeg, traceLegs } from './legs.ts';

/** One stretch as it went. */
export interface LegRun {
  readonly planned: PlannedLeg;
  readonly observation: Observation;
  /** What was sent, and each point's capture in the order of the points (absent where it could not be run). */
  readonly sent: Evidence;
  readonly captures: readonly (Evidence | undefined)[];
}

export interface TraceRuns {
  readonly runs: readonly LegRun[];
  readonly notSent: readonly { readonly planned: PlannedLeg; readonly failure: FactFailure }[];
  /** Bytes of packets that came from the nodes. */
  readonly bytes: number;
}

/** Headers of a ping in a tunnel and the beginning of its pattern: 50 + 14 + 40 + 8 + 16 + 8, and tags. */
const snapLength = 160;
/** More than any probe makes; a flood of ARP or of somebody's pings ends the capture, and `dropped` or the count say so. */
const packetLimit = 1000;
/** tcpdump's own default: every packet as it is. */
const wholePacket = 262_144;
const bytesOf = (whole: boolean): number => (whole ? 4 * 1024 * 1024 : packetLimit * (snapLength + 16) + 24);
/** tcpdump says this when its filter is in place and it reads. */
const listening = 'listening on';
/** What a probe may take, and what the captures outlive it by when nobody ends them. */
const captureSeconds = 20;

/** The same in a replay: nothing of it may depend on the moment. */
const markOf = ({ leg }: PlannedLeg): Uint8Array =>
  createHash('sha256').update(`${leg.title} ${leg.probe.to}`).digest().subarray(0, 8);

/** Letters, for they pass through printf and a shell as they are. */
const lettersOf = (mark: Uint8Array): string =>
  [...mark.subarray(0, 4)].map((byte) => String.fromCharCode(0x61 + (byte % 26))).join('');

const captureCommand = (point: Point, filter: string, round: string, whole: boolean): Command => ({
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
    String(whole ? wholePacket : snapLength),
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
  timeoutSeconds: captureSeconds,
  maxBytes: bytesOf(whole),
  round,
  ...(point.netns === undefined ? {} : { netns: point.netns }),
});

/** pcap_activate(3PCAP): the device is not there, or it is not up; anything else is our own blindness. */
function watchOf(result: Result<CommandResult, FactFailure>): Watch {
  if (!result.ok) return { kind: 'blind', why: whyBlind(result.error) };
  const { stderr } = result.value;
  if (/No such device|Cannot open network namespace/i.test(stderr)) return { kind: 'absent' };
  if (/is not up|went down|Network is down/i.test(stderr)) return { kind: 'down' };
  const counted = parseTcpdumpStatistics(stderr);
  if (!stderr.includes(listening)) {
    return { kind: 'blind', why: stderr.trim().split('\n').at(-1) ?? 'tcpdump did not start' };
  }
  return {
    kind: 'watched',
    captured: counted?.captured ?? 0,
    dropped: (counted?.droppedByKernel ?? 0) + (counted?.droppedByInterface ?? 0),
  };
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

interface Sent {
  readonly sent: number;
  readonly answered: number;
  readonly evidence: Evidence;
}

async function sendTcp(facts: Store, planned: PlannedLeg, round: string): Promise<Result<Sent, FactFailure>> {
  const { probe, sender } = planned.leg;
  const attempts = await Promise.all(
    Array.from({ length: probe.count }, async (_, n) => {
      const command = connectCommand(probe.to, probe.port ?? 0, sender.netns, `${round} ${n + 1}`);
      const ran = await onSender(facts, planned, command);
      return { command, ran };
    }),
  );
  const [first] = attempts;
  if (first === undefined || !first.ran.ok) return first?.ran.ok === false ? first.ran : err(nothingToSend);
  const endings = attempts.map(({ ran }) => (ran.ok ? endingOf(ran.value) : undefined));
  const answered = endings.filter((e) => e === 'open' || e === 'refused').length;
  return ok({
    sent: probe.count,
    answered,
    evidence: showing(
      {
        source: { kind: 'command', host: sender.host, argv: fullArgv(first.command), code: first.ran.value.code },
        at: first.ran.value.startedAt,
        excerpt: '',
      },
      `${probe.count} connections to ${probe.to} tcp/${probe.port ?? ''}: ${endings.map((e) => e ?? 'failed').join(', ')}`,
    ),
  });
}

const nothingToSend: FactFailure = { kind: 'unsupported', because: 'no packet was asked for' };

/** One `packet-out` per echo request: it goes through the flows as if the port had received it (ovs-ofctl(8)). */
async function sendInItsName(facts: Store, planned: PlannedLeg, round: string): Promise<Result<Sent, FactFailure>> {
  const { leg, injected } = planned;
  if (injected === undefined) return err(nothingToSend);
  const mark = markOf(planned);
  const ran = await Promise.all(
    Array.from({ length: leg.probe.count }, async (_, n) => {
      const packet = echoFrame({
        sourceMac: injected.sourceMac,
        destinationMac: injected.destinationMac,
        source: leg.probe.from,
        destination: leg.probe.to,
        id: Buffer.from(mark).readUInt16BE(0),
        sequence: n + 1,
        mark,
      });
      const command: Command = {
        argv: [
          'ovs-ofctl',
          '--timeout=5',
          'packet-out',
          injected.bridge,
          `in_port=${injected.port},packet=${packet},actions=resubmit(,0)`,
        ],
        impact: 'probe',
        become: true,
        round,
      };
      return { command, answer: await facts.io.nodes.run(leg.sender.host, command) };
    }),
  );
  const [first] = ran;
  if (first === undefined || !first.answer.ok) return first?.answer.ok === false ? first.answer : err(nothingToSend);
  const { code, stderr, startedAt } = first.answer.value;
  const argv = fullArgv(first.command);
  if (code !== 0) {
    return err({ kind: 'command', host: leg.sender.host, argv, code, detail: stderr.trim().split('\n')[0] ?? '' });
  }
  return ok({
    sent: leg.probe.count,
    answered: 0,
    evidence: showing(
      { source: { kind: 'command', host: leg.sender.host, argv, code }, at: startedAt, excerpt: '' },
      `${leg.probe.count} echo requests of ${leg.probe.from} to ${leg.probe.to}, put in at port ${injected.port} of ${injected.bridge}`,
    ),
  });
}

const onSender = (facts: Store, planned: PlannedLeg, command: Command): Promise<Result<CommandResult, FactFailure>> =>
  planned.from === 'operator' ? facts.io.operator.run(command) : facts.io.nodes.run(planned.leg.sender.host, command);

/** bash(1), Redirections: /dev/udp/HOST/PORT. The write after an ICMP error reports it (ip(7), IP_RECVERR) and is done again. */
async function sendUdp(facts: Store, planned: PlannedLeg, round: string): Promise<Result<Sent, FactFailure>> {
  const { probe, sender } = planned.leg;
  const command: Command = {
    argv: [
      'bash',
      '-c',
      'exec 3>"/dev/udp/$0/$1" || exit 1; i=0; while [ $((i+=1)) -le "$3" ]; do b="$2\\\\x$(printf %02x "$i")"; printf "$b" >&3 2>/dev/null || printf "$b" >&3; sleep 0.1; done',
      probe.to,
      String(probe.port ?? 0),
      lettersOf(markOf(planned)),
      String(probe.count),
    ],
    impact: 'probe',
    parallel: true,
    timeoutSeconds: 10,
    round,
    ...(sender.netns === undefined ? {} : { netns: sender.netns }),
  };
  const ran = await onSender(facts, planned, command);
  if (!ran.ok) return ran;
  return ok({
    sent: probe.count,
    answered: 0,
    evidence: showing(
      {
        source: { kind: 'command', host: sender.host, argv: fullArgv(command), code: ran.value.code },
        at: ran.value.startedAt,
        excerpt: '',
      },
      `${probe.count} datagrams to ${probe.to} udp/${probe.port ?? ''}`,
    ),
  });
}

async function sendArp(facts: Store, planned: PlannedLeg, round: string): Promise<Result<Sent, FactFailure>> {
  const { probe, sender, points } = planned.leg;
  const device = points[0]?.device;
  if (device === undefined) return err(nothingToSend);
  const command: Command = {
    argv: ['arping', '-c', String(probe.count), '-w', String(probe.count + 1), '-I', device, probe.to],
    impact: 'probe',
    parallel: true,
    timeoutSeconds: probe.count + 4,
    round,
    ...(sender.netns === undefined ? {} : { netns: sender.netns }),
  };
  const ran = await onSender(facts, planned, command);
  if (!ran.ok) return ran;
  const answered = Number(/Received (\d+) response/.exec(ran.value.stdout)?.[1] ?? 0);
  return ok({
    sent: Number(/Sent (\d+) probes/.exec(ran.value.stdout)?.[1] ?? probe.count),
    answered,
    evidence: showing(
      {
        source: { kind: 'command', host: sender.host, argv: fullArgv(command), code: ran.value.code },
        at: ran.value.startedAt,
        excerpt: '',
      },
      ran.value.stdout.split('\n').slice(-3),
    ),
  });
}

/** Length of the headers of an echo request without options. */
const echoHeaders = (to: string): number => (to.includes(':') ? 48 : 28);

async function send(facts: Store, planned: PlannedLeg, round: string): Promise<Result<Sent, FactFailure>> {
  const { probe, sender } = planned.leg;
  if (planned.from === 'port') return sendInItsName(facts, planned, round);
  switch (probe.protocol) {
    case 'icmp': {
      const pattern = Buffer.from(markOf(planned)).toString('hex');
      const size = Math.max(0, probe.size - echoHeaders(probe.to));
      const ping = await sendPing(
        facts,
        { from: planned.from, ...sender },
        probe.to,
        ['-c', String(probe.count), '-p', pattern, '-s', String(size)],
        round,
      );
      return ping.ok
        ? ok({ sent: ping.value.ping.sent, answered: ping.value.ping.received, evidence: ping.value.evidence })
        : ping;
    }
    case 'tcp':
      return sendTcp(facts, planned, round);
    case 'udp':
      return sendUdp(facts, planned, round);
    case 'arp':
      return sendArp(facts, planned, round);
  }
}

/** The same packets once more, with so many added, and nobody captures. */
export const sendAgain = (
  facts: Store,
  planned: PlannedLeg,
  round: string,
  added: number,
): Promise<Result<Sent, FactFailure>> =>
  send(
    facts,
    {
      ...planned,
      leg: { ...planned.leg, probe: { ...planned.leg.probe, count: planned.leg.probe.count + added } },
    },
    `trace ${round}`,
  );

/** What one capture saw of the probe, before its packets have their numbers. */
type Seen = Omit<Sighting, 'sequence'> & { readonly identity: number; readonly resolution: boolean };

function seenIn(
  planned: PlannedLeg,
  point: number,
  stdout: string,
): { readonly seen: readonly Seen[]; readonly bytes: number } {
  const bytes = Buffer.from(stdout, 'base64');
  const capture = parsePcap(bytes);
  if (!capture.ok) return { seen: [], bytes: bytes.length };
  const { probe } = planned.leg;
  const mark = probe.protocol === 'udp' ? Buffer.from(lettersOf(markOf(planned))) : markOf(planned);
  const seen = capture.value.records.flatMap((frame): Seen[] => {
    const decoded = decodeFrame(capture.value.linkType, frame.bytes);
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
  return { seen, bytes: bytes.length };
}

/**
 * Gives every packet its number. ping and our datagrams number theirs; connections are numbered by their initial sequence number in the
 * order in which they were first seen; who-has, where it is the probe itself, by its order at each point.
 */
function numbered(planned: PlannedLeg, seen: readonly Seen[]): readonly Sighting[] {
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
    if (protocol !== 'tcp') return { ...rest, sequence: identity };
    // A guest repeats its answer for a minute where the third packet of an earlier connection was lost: none of these was asked for now.
    if (rest.way === 'back' && !asked.has(identity)) return [];
    const known = connections.get(identity) ?? connections.size + 1;
    connections.set(identity, known);
    return { ...rest, sequence: known };
  });
}

/** Nobody counts answers to what was sent in an instance's name: those that came back to its switch are. */
const answersAtHand = (sightings: readonly Sighting[]): number =>
  new Set(sightings.flatMap((s) => (s.point === 0 && s.way === 'back' && s.sequence > 0 ? [s.sequence] : []))).size;

/** All captures first; the probes when every host says that its captures listen; and an end as soon as the probes are over. */
async function follow(facts: Store, legs: readonly PlannedLeg[], round: string): Promise<TraceRuns> {
  const over = new AbortController();
  const captures = legs.map((planned) =>
    planned.leg.points.map((point) => {
      const mark = lettersOf(markOf(planned));
      const filter = captureFilter(point.wears, {
        addresses: planned.addresses,
        protocol: planned.leg.probe.protocol,
        ...(planned.leg.probe.port === undefined ? {} : { port: planned.leg.probe.port }),
        mark: Buffer.from(mark).readUInt32BE(0),
      });
      const command = captureCommand(point, filter, round, facts.io.options.trace?.whole === true);
      return { command, answer: facts.io.nodes.run(point.host, command, { enough: over.signal }) };
    }),
  );
  const hosts = [...new Set(legs.flatMap((planned) => planned.leg.points.map((p) => p.host)))];
  // It is answered when the captures of its batch listen.
  const ready: Command = { argv: ['date', '+%s.%N'], impact: 'read', round: `${round} listening` };
  await Promise.all(hosts.map((host) => facts.io.nodes.run(host, ready)));
  const sent = await Promise.all(legs.map((planned) => send(facts, planned, round)));
  over.abort();
  let bytes = 0;
  const runs: LegRun[] = [];
  const notSent: { planned: PlannedLeg; failure: FactFailure }[] = [];
  for (const [at, planned] of legs.entries()) {
    const outcome = sent[at];
    const results = await Promise.all((captures[at] ?? []).map(({ answer }) => answer));
    if (outcome === undefined) continue;
    if (!outcome.ok) {
      notSent.push({ planned, failure: outcome.error });
      continue;
    }
    const watches = results.map((result) => watchOf(result));
    const seen = results.flatMap((result, point) => {
      if (!result.ok) return [];
      const found = seenIn(planned, point, result.value.stdout);
      bytes += found.bytes;
      return found.seen;
    });
    const sightings = numbered(planned, seen);
    runs.push({
      planned,
      observation: {
        leg: planned.leg,
        watches,
        sightings,
        sent: outcome.value.sent,
        answered: planned.from === 'port' ? answersAtHand(sightings) : outcome.value.answered,
      },
      sent: outcome.value.evidence,
      captures: results.map((result, point) => {
        const command = captures[at]?.[point]?.command;
        const place = planned.leg.points[point];
        if (!result.ok || command === undefined || place === undefined) return undefined;
        const there = sightings.filter((s) => s.point === point && s.sequence > 0 && s.way === 'there').length;
        const back = sightings.filter((s) => s.point === point && s.sequence > 0 && s.way === 'back').length;
        return showing(
          {
            source: { kind: 'command', host: place.host, argv: fullArgv(command), code: result.value.code },
            at: result.value.startedAt,
            excerpt: '',
          },
          `${nameOfPoint(place)}: ${there} packets there, ${back} back`,
        );
      }),
    });
  }
  return { runs, notSent, bytes };
}

/** The probes of a trace, and where their packets were seen. */
export const traceRuns = source<PortSubject, TraceRuns>(
  'trace.runs',
  (subject) => subject.id,
  async (subject, facts): Promise<FactResult<TraceRuns>> => {
    if (!facts.io.options.mayProbe) return err({ kind: 'unsupported', because: 'probes are off (--no-probe)' });
    if (!facts.io.options.mayCapture) return err({ kind: 'unsupported', because: 'captures are off' });
    const legs = await facts.get(traceLegs, subject);
    if (!legs.ok) return legs;
    const found = await follow(facts, legs.value.value, 'trace');
    return observed(found, ...found.runs.map((r) => r.sent));
  },
);
