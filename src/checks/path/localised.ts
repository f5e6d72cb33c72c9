import { blocked, defineCheck, judged, skipped } from '../../engine/check.ts';
import type { Evidence } from '../../engine/evidence.ts';
import { findingOf, onHost } from '../../engine/finding-of.ts';
import type { Io } from '../../facts/io.ts';
import { neighbours } from '../../facts/neighbours.ts';
import type { PingRun } from '../../facts/ping.ts';
import { placement } from '../../facts/placement.ts';
import { allAnswered, type SecondLook, secondLook } from '../../facts/second-look.ts';
import type { PortSubject } from '../../facts/subject.ts';
import { deviceName } from '../../path/addresses.ts';
import { readMatrix } from '../../path/read-matrix.ts';
import { lookingInside } from '../remedies.ts';
import { agentName, linkName, ownerName, portScope, verifyWith } from '../scope.ts';
import { guestSilent, lostBetween } from './codes.ts';

const needs = { placement };
const optional = { look: secondLook, neighbours };

interface HopCount {
  readonly host: string;
  readonly device: string;
  /** Packets towards the instance, and away from it. */
  readonly towards: number;
  readonly away: number;
  readonly at: string;
}

const rise = (look: SecondLook, host: string, device: string): { rx: number; tx: number } | undefined => {
  const [before, after] = [look.before, look.after].map((m) => m.get(host)?.links.find((l) => l.name === device));
  if (before === undefined || after === undefined) return undefined;
  return { rx: after.rx.packets - before.rx.packets, tx: after.tx.packets - before.tx.packets };
};

export default defineCheck<Io, PortSubject, typeof needs, typeof optional>({
  id: 'path.localised',
  per: 'port',
  title: 'The probes were followed to the instance and back',
  families: ['agents', 'routed'],
  needs,
  optional,
  findings: [guestSilent, lostBetween],
  judge: ({ subject, facts, maybe }) => {
    if (!maybe.look.ok) {
      const { error } = maybe.look;
      return error.kind === 'unsupported'
        ? skipped(error.because === allAnswered ? allAnswered : error.because)
        : blocked(error);
    }
    const look = maybe.look.value.value;
    // Full-size packets that die while small ones pass are a matter of what each link carries (mtu.*), not of a cut.
    const lost = look.repeated.filter((r) => r.again.received === 0 && r.first.what === 'instance' && !r.fullSize);
    const [probe] = lost;
    if (probe === undefined) return skipped('no ping into the instance was lost twice');
    const { host } = facts.placement.value;
    const tap = deviceName('tap', subject.id);
    const seen = rise(look, host, tap);
    // Where only one kind of sender is not answered, what is wrong with the sender explains it.
    const only = (from: PingRun['from']): boolean => lost.every((r) => r.first.from === from);
    const scope = portScope(subject, {
      host: [host, probe.first.host],
      link: [linkName(host, probe.first.host)],
      ...(only('qrouter') ? { router: lost.flatMap((r) => r.first.routerId ?? []) } : {}),
      ...(only('qdhcp') ? { agent: lost.map((r) => agentName('neutron-dhcp-agent', r.first.host)) } : {}),
    });
    const around = maybe.neighbours.ok ? readMatrix(maybe.neighbours.value.value) : undefined;
    const verify = verifyWith('net', subject);
    if (seen === undefined) return skipped(`the counters of ${tap} could not be read`);
    // A tap counts from the host's side: what it transmits goes to the guest.
    const hop: HopCount = { host, device: tap, towards: seen.tx, away: seen.rx, at: probe.evidence.at };
    const evidence: Evidence = {
      source: { kind: 'command', host, argv: ['ip', '-s', 'link', 'show', tap], code: 0 },
      at: hop.at,
      excerpt: `${tap}: ${hop.towards} packets to the instance, ${hop.away} from it, while ${lost.length} pings got no answer`,
    };
    if (hop.towards >= lost.length && hop.away === 0) {
      return judged(
        [
          findingOf(guestSilent, {
            summary: `Probes reach ${tap} on ${host} (${hop.towards} packets), and ${ownerName(subject)} sends nothing back`,
            subject: `guest of ${ownerName(subject)}`,
            scope,
            confidence: 'likely',
            evidence: [evidence, probe.evidence],
            remedies: [lookingInside],
            verify,
          }),
        ],
        '',
      );
    }
    const where =
      hop.towards === 0
        ? `between ${probe.first.from} on ${probe.first.host} and ${tap} on ${host}`
        : `on the way back from ${tap} on ${host} to ${probe.first.from} on ${probe.first.host}`;
    return judged(
      [
        findingOf(lostBetween, {
          summary: `Probes die ${where}`,
          subject: `path ${probe.first.host} → ${host}`,
          scope,
          confidence: around?.confidence ?? 'possible',
          evidence: [evidence, ...(around?.evidence ?? [probe.evidence])],
          remedies: [
            {
              title: 'see the packets themselves',
              risk: 'none',
              sufficient: false,
              steps: [
                onHost(host, ['tcpdump', '-nn', '-e', '-c', '10', '-i', tap, 'icmp', 'or', 'arp']),
                onHost(probe.first.host, [
                  'ip',
                  'netns',
                  'exec',
                  probe.first.netns ?? '',
                  'tcpdump',
                  '-nn',
                  '-e',
                  '-c',
                  '10',
                  '-i',
                  'any',
                  'icmp',
                  'or',
                  'arp',
                ]),
              ],
            },
          ],
          verify,
        }),
      ],
      '',
    );
  },
});
