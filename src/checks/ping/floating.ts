import { blocked, defineCheck, judged, passed, skipped } from '../../engine/check.ts';
import type { Finding } from '../../engine/finding.ts';
import { findingOf } from '../../engine/finding-of.ts';
import type { Io } from '../../facts/io.ts';
import { pingsOfFloating } from '../../facts/ping.ts';
import { remoteMembers, securityGroups } from '../../facts/port-api.ts';
import type { PortSubject } from '../../facts/subject.ts';
import { echoFrom, expected } from '../expected.ts';
import { ownerName, portScope, verifyWith } from '../scope.ts';
import { lossy, toFloating } from './codes.ts';

const needs = { pings: pingsOfFloating };
const optional = { groups: securityGroups, members: remoteMembers };

export default defineCheck<Io, PortSubject, typeof needs, typeof optional>({
  id: 'ping.floating',
  per: 'port',
  title: 'The floating address answers from here',
  needs,
  optional,
  findings: [toFloating, lossy],
  judge: ({ subject, facts, maybe }) => {
    const { runs, notSent } = facts.pings.value;
    const mine = runs.filter((r) => r.what === 'floating-ip');
    const [lost] = notSent;
    if (mine.length === 0)
      return lost === undefined ? skipped('the port has no floating address') : blocked(lost.failure);
    const findings: Finding[] = [];
    const notes: string[] = [];
    for (const run of mine) {
      const control = runs.find((r) => r.what === 'router-outside' && r.routerId === run.routerId);
      const fixed = subject.port.value.fixed_ips.find((f) => !f.ip_address.includes(':'))?.ip_address ?? '';
      const verdict = maybe.groups.ok
        ? expected(
            subject.port.value,
            maybe.groups.value.value,
            maybe.members.ok ? maybe.members.value.value : undefined,
            echoFrom(undefined, fixed),
          )
        : undefined;
      const surely = verdict?.kind === 'allowed' && verdict.extent === 'whole';
      if (run.ping.received === run.ping.sent) {
        notes.push(
          `floating ${run.to} ${run.ping.received}/${run.ping.sent}${run.ping.rttMs === undefined ? '' : ` ${run.ping.rttMs.avg.toFixed(1)} ms`}`,
        );
      } else if (run.ping.received > 0) {
        findings.push(
          findingOf(lossy, {
            summary: `${run.ping.sent - run.ping.received} of ${run.ping.sent} pings from here to ${run.to} were lost`,
            subject: `ping here → ${run.to}`,
            scope: portScope(subject),
            evidence: [run.evidence],
            confidence: 'possible',
            verify: verifyWith('ping', subject),
          }),
        );
      } else if (!surely) {
        notes.push(`floating ${run.to} not judged: the security groups do not let every ping in`);
      } else {
        // Without a control that answers, this machine may simply not reach the external network.
        const reaches = (control?.ping.received ?? 0) > 0;
        if (!reaches) {
          notes.push(
            `floating ${run.to} not judged: this machine does not reach ${control?.to ?? 'the external network'} either`,
          );
          continue;
        }
        findings.push(
          findingOf(toFloating, {
            summary: `${ownerName(subject)} does not answer at ${run.to} from here, though its router's outside ${control?.to ?? ''} does`,
            subject: `ping here → ${run.to}`,
            scope: portScope(subject, run.routerId === undefined ? {} : { router: [run.routerId] }),
            evidence: control === undefined ? [run.evidence] : [run.evidence, control.evidence],
            verify: verifyWith('ping', subject),
          }),
        );
      }
    }
    return findings.length === 0
      ? passed(
          notes.join(' · '),
          facts.pings.evidence,
          mine.some((r) => r.ping.received > 0) ? ['floating address'] : [],
        )
      : judged(findings, '', facts.pings.evidence);
  },
});
