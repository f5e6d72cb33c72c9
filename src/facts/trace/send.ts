import type { Evidence } from '../../engine/evidence.ts';
import type { FactFailure } from '../../engine/failure.ts';
import { err, ok, type Result } from '../../engine/result.ts';
import type { Command, CommandResult } from '../../nodes/command.ts';
import { discover } from '../../path/trace/craft.ts';
import type { Probe } from '../../path/trace/observation.ts';
import { connectCommand, endingOf } from '../connect.ts';
import { commandEvidence, commandFailure, type Store, showing } from '../io.ts';
import { pingSeconds, runAt, sendPing } from '../ping.ts';
import { frameOf, resetOf } from './frames.ts';
import type { PlannedLeg } from './leg.ts';
import { lettersOf, markOf, transactionOf } from './mark.ts';

/** What was sent over one stretch, and how many answers the sender counted. */
export interface Sent {
  readonly sent: number;
  readonly answered: number;
  readonly evidence: Evidence;
}

/** Attempts to connect that a node makes side by side (`parallelLimit` of its batches), each of which waits so long for an answer. */
const sideBySide = 32;
const attemptSeconds = 3;

/** How long a service may take for its answer, while nobody counts answers at the sender. */
const settleSeconds = 1;

/** How long the packets of a probe may take on their sender. */
export function probeSeconds({ protocol, count }: Probe): number {
  switch (protocol) {
    case 'icmp':
      return pingSeconds(count);
    case 'tcp':
      return Math.ceil(count / sideBySide) * attemptSeconds + 1;
    case 'udp':
      return Math.ceil(count / 10) + 8;
    case 'dhcp':
      return Math.ceil(count / 10) + settleSeconds + 8;
    case 'arp':
      return count + 4;
  }
}

async function sendTcp(facts: Store, planned: PlannedLeg, round: string): Promise<Result<Sent, FactFailure>> {
  const { probe, sender } = planned.leg;
  const attempts = await Promise.all(
    Array.from({ length: probe.count }, async (_, n) => {
      const command = connectCommand(probe.to, probe.port ?? 0, sender.netns, `${round} ${n + 1}`);
      const ran = await runAt(facts, { from: planned.from, host: sender.host }, command);
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
      commandEvidence(sender.host, first.command, first.ran.value),
      `${probe.count} connections to ${probe.to} tcp/${probe.port ?? ''}: ${endings.map((e) => e ?? 'failed').join(', ')}`,
    ),
  });
}

const nothingToSend: FactFailure = { kind: 'unsupported', because: 'no packet was asked for' };

/** What was put in, in words. */
const named = { icmp: 'echo requests', tcp: 'connections', dhcp: 'DHCP requests', udp: 'datagrams', arp: 'requests' };

/** One `packet-out` per packet: it goes through the flows as if the port had received it (ovs-ofctl(8)). */
async function sendInItsName(facts: Store, planned: PlannedLeg, round: string): Promise<Result<Sent, FactFailure>> {
  const { leg, injected } = planned;
  if (injected === undefined) return err(nothingToSend);
  const { host } = leg.sender;
  const putting = (packet: string): Command => ({
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
  });
  const nth = Array.from({ length: leg.probe.count }, (_, n) => n + 1);
  const batch = Promise.all(
    nth.map(async (n) => {
      const command = putting(frameOf(planned, n, round) ?? '');
      return { command, answer: await facts.io.nodes.run(host, command) };
    }),
  );
  // A switch answers at once; what a service is asked takes its time. In the same batch, after the last packet.
  const settled =
    leg.probe.protocol === 'icmp'
      ? undefined
      : facts.io.nodes.run(host, { argv: ['sleep', String(settleSeconds)], impact: 'read', round });
  const ran = await batch;
  await settled;
  const resets = nth.flatMap((n) => resetOf(planned, n, round) ?? []);
  await Promise.all(resets.map((packet) => facts.io.nodes.run(host, putting(packet))));
  const [first] = ran;
  if (first === undefined || !first.answer.ok) return first?.answer.ok === false ? first.answer : err(nothingToSend);
  if (first.answer.value.code !== 0) return err(commandFailure(host, first.command, first.answer.value));
  return ok({
    sent: leg.probe.count,
    answered: 0,
    evidence: showing(
      commandEvidence(host, first.command, first.answer.value),
      `${leg.probe.count} ${named[leg.probe.protocol]} of ${leg.probe.from} to ${leg.probe.to}, put in at port ${injected.port} of ${injected.bridge}`,
    ),
  });
}

/** Runs a command where the probe of a stretch begins, for as long as its packets may take. */
async function runAtSender(
  facts: Store,
  { from, leg }: PlannedLeg,
  argv: Command['argv'],
  round: string,
): Promise<Result<{ readonly command: Command; readonly result: CommandResult }, FactFailure>> {
  const { probe, sender } = leg;
  const command: Command = {
    argv,
    impact: 'probe',
    parallel: true,
    timeoutSeconds: probeSeconds(probe),
    round,
    ...(sender.netns === undefined ? {} : { netns: sender.netns }),
  };
  const ran = await runAt(facts, { from, host: sender.host }, command);
  return ran.ok ? ok({ command, result: ran.value }) : ran;
}

/** bash(1), Redirections: /dev/udp/HOST/PORT. The write after an ICMP error reports it (ip(7), IP_RECVERR) and is done again. */
async function sendUdp(facts: Store, planned: PlannedLeg, round: string): Promise<Result<Sent, FactFailure>> {
  const { probe, sender } = planned.leg;
  const ran = await runAtSender(
    facts,
    planned,
    [
      'bash',
      '-c',
      'exec 3>"/dev/udp/$0/$1" || exit 1; i=0; while [ $((i+=1)) -le "$3" ]; do b="$2\\\\x$(printf %02x "$i")"; printf "$b" >&3 2>/dev/null || printf "$b" >&3; sleep 0.1; done',
      probe.to,
      String(probe.port ?? 0),
      lettersOf(markOf(planned)),
      String(probe.count),
    ],
    round,
  );
  if (!ran.ok) return ran;
  const { command, result } = ran.value;
  return ok({
    sent: probe.count,
    answered: 0,
    evidence: showing(
      commandEvidence(sender.host, command, result),
      `${probe.count} datagrams to ${probe.to} udp/${probe.port ?? ''}`,
    ),
  });
}

/**
 * In the name of the instance to its server, from another namespace of the network. A broadcast could not be sent that way, and need not
 * be: dnsmasq takes what comes to its own address. dd(1) makes one datagram of it, whatever bytes there are in it.
 */
async function sendDiscover(facts: Store, planned: PlannedLeg, round: string): Promise<Result<Sent, FactFailure>> {
  const { probe, sender } = planned.leg;
  if (planned.client === undefined) return err(nothingToSend);
  const message = [...discover(planned.client, transactionOf(planned, 0))].map(
    (byte) => `\\x${byte.toString(16).padStart(2, '0')}`,
  );
  const ran = await runAtSender(
    facts,
    planned,
    [
      'bash',
      '-c',
      `exec 3>"/dev/udp/$0/67" || exit 1; s() { printf "$1" | dd bs=2048 iflag=fullblock >&3 2>/dev/null; }; i=0; while [ $((i+=1)) -le "$1" ]; do b="$2\\x$(printf %02x "$i")$3"; s "$b" || s "$b"; sleep 0.1; done; sleep ${settleSeconds}`,
      probe.to,
      String(probe.count),
      message.slice(0, 7).join(''),
      message.slice(8).join(''),
    ],
    round,
  );
  if (!ran.ok) return ran;
  const { command, result } = ran.value;
  if (result.code !== 0) return err(commandFailure(sender.host, command, result));
  return ok({
    sent: probe.count,
    answered: 0,
    evidence: showing(
      commandEvidence(sender.host, command, result),
      `${probe.count} DHCP requests of ${planned.client} to ${probe.to}`,
    ),
  });
}

async function sendArp(facts: Store, planned: PlannedLeg, round: string): Promise<Result<Sent, FactFailure>> {
  const { probe, sender, points } = planned.leg;
  const device = points[0]?.device;
  if (device === undefined) return err(nothingToSend);
  const ran = await runAtSender(
    facts,
    planned,
    ['arping', '-c', String(probe.count), '-w', String(probe.count + 1), '-I', device, probe.to],
    round,
  );
  if (!ran.ok) return ran;
  const { command, result } = ran.value;
  const answered = Number(/Received (\d+) response/.exec(result.stdout)?.[1] ?? 0);
  return ok({
    sent: Number(/Sent (\d+) probes/.exec(result.stdout)?.[1] ?? probe.count),
    answered,
    evidence: showing(commandEvidence(sender.host, command, result), result.stdout.split('\n').slice(-3)),
  });
}

/** Length of the headers of an echo request without options. */
const echoHeaders = (to: string): number => (to.includes(':') ? 48 : 28);

/** Sends the probe of one stretch from where it begins. */
export async function send(facts: Store, planned: PlannedLeg, round: string): Promise<Result<Sent, FactFailure>> {
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
      // `connect: Network is unreachable`: what its own device does not take is lost, though ping counts it as never sent.
      return ping.ok
        ? ok({
            sent: ping.value.ping.sent || probe.count,
            answered: ping.value.ping.received,
            evidence: ping.value.evidence,
          })
        : ping;
    }
    case 'tcp':
      return sendTcp(facts, planned, round);
    case 'udp':
      return sendUdp(facts, planned, round);
    case 'dhcp':
      return sendDiscover(facts, planned, round);
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
