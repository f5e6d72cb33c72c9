import { blocked, defineCheck, judged, skipped } from '../../engine/check.ts';
import type { Finding } from '../../engine/finding.ts';
import { advice, byOperator, findingOf } from '../../engine/finding-of.ts';
import { asked } from '../../facts/asked.ts';
import { type Connect, connects } from '../../facts/connect.ts';
import type { Io } from '../../facts/io.ts';
import { pingsFromDhcp, pingsFromRouter } from '../../facts/ping.ts';
import type { PortSubject } from '../../facts/subject.ts';
import { computeHostOf } from '../../facts/subject.ts';
import { ownerName, portScope, verifyWith } from '../scope.ts';
import { refused, silent } from './codes.ts';

const needs = { asked };
const optional = { connects, fromDhcp: pingsFromDhcp, fromRouter: pingsFromRouter };

const place = (c: Connect): string => (c.from === 'operator' ? 'here' : `${c.from} on ${c.host}`);

export default defineCheck<Io, PortSubject, typeof needs, typeof optional>({
  id: 'tcp.connects',
  per: 'port',
  title: 'The instance takes TCP connections that its security groups let in',
  needs,
  optional,
  findings: [refused, silent],
  judge: ({ subject, facts, maybe }) => {
    const { explicit, symptom } = facts.asked.value;
    const wanted = explicit || symptom === 'no-way-in';
    if (!maybe.connects.ok) return wanted ? blocked(maybe.connects.error) : skipped('no connection was tried');
    const { tried, notTried, shut } = maybe.connects.value.value;
    const [lost] = notTried;
    if (tried.length === 0) {
      if (lost !== undefined) {
        return wanted && lost.failure.kind !== 'not-found' ? blocked(lost.failure) : skipped('no connection was tried');
      }
      const [closed] = shut;
      return skipped(
        closed === undefined
          ? 'no TCP port was asked about'
          : `the security groups do not surely let tcp/${closed.port} in`,
      );
    }
    const pings = [maybe.fromDhcp, maybe.fromRouter].flatMap((p) => (p.ok ? p.value.value.runs : []));
    const pinged = (c: Connect): boolean =>
      c.from === 'operator' ||
      pings.some((r) => r.from === c.from && r.host === c.host && r.to === c.to && r.ping.received > 0);
    const findings: Finding[] = [];
    const notes: string[] = [];
    for (const port of [...new Set(tried.map((t) => t.port))]) {
      const mine = tried.filter((t) => t.port === port);
      const open = mine.filter((t) => t.ending === 'open');
      if (open.length > 0) notes.push(`tcp/${port} open from ${open.map(place).join(', ')}`);
      const resets = mine.filter((t) => t.ending === 'refused');
      const [reset] = resets;
      if (reset !== undefined) {
        if (!wanted || open.length > 0) notes.push(`tcp/${port} refused: nothing listens there`);
        else findings.push(refusal(port, reset, resets));
      }
      // Where not even a ping is answered, the ping says it better.
      const mute = mine.filter((t) => (t.ending === 'silent' || t.ending === 'unreachable') && (wanted || pinged(t)));
      const [first] = mute;
      if (first === undefined) continue;
      const [one = first.evidence, ...more] = [...mute, ...open].map((t) => t.evidence);
      findings.push(
        findingOf(silent, {
          summary: `${ownerName(subject)} does not answer TCP connections to ${first.to}:${port} from ${mute.map(place).join(', ')}, though its security groups let them in${mute.every(pinged) && first.from !== 'operator' ? ' and pings from there are answered' : ''}`,
          subject: `tcp/${port} of ${ownerName(subject)}`,
          severity: wanted ? 'error' : 'warning',
          scope: portScope(subject, {
            host: [...new Set([...mute.map((m) => m.host), computeHostOf(subject) ?? ''])].filter((h) => h !== ''),
            router: mute.flatMap((m) => m.routerId ?? []),
          }),
          evidence: [one, ...more],
          verify: verifyWith('ping', subject),
        }),
      );
    }
    return judged(findings, notes.join(' · '), maybe.connects.value.evidence, ['TCP into the instance']);

    function refusal(port: number, reset: Connect, resets: readonly Connect[]): Finding {
      const [one = reset.evidence, ...more] = resets.map((r) => r.evidence);
      const instance = subject.instance?.id;
      return findingOf(refused, {
        summary: `${ownerName(subject)} refuses connections to ${reset.to}:${port}: they arrive, and nothing listens there`,
        subject: `tcp/${port} of ${ownerName(subject)}`,
        scope: portScope(subject),
        confidence: 'likely',
        evidence: [one, ...more],
        remedies: [
          {
            title: `start what should listen on port ${port} in the guest`,
            risk: 'none',
            sufficient: false,
            steps: [
              ...(instance === undefined
                ? []
                : [
                    byOperator(
                      ['openstack', 'console', 'log', 'show', '--lines', '100', instance],
                      'did it start at boot',
                    ),
                    byOperator(['openstack', 'console', 'url', 'show', instance], 'a way in that needs no network'),
                  ]),
              advice(`in the guest: ss -lntp (who listens on :${port}, and on which address), systemctl status ssh`),
            ],
          },
        ],
        verify: `${verifyWith('ping', subject)} --probe tcp/${port}`,
      });
    }
  },
});
