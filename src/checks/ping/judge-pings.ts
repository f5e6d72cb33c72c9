import type { Evidence } from '../../engine/evidence.ts';
import type { Observed } from '../../engine/fact.ts';
import type { Finding, FindingSpec } from '../../engine/finding.ts';
import { findingOf } from '../../engine/finding-of.ts';
import type { Resolution } from '../../facts/neighbour.ts';
import type { PingRun, Pings } from '../../facts/ping.ts';
import type { ApiSecurityGroup, Port } from '../../facts/schemas/network.ts';
import type { PortSubject } from '../../facts/subject.ts';
import { echoFrom, expected } from '../expected.ts';
import { portScope, verifyWith } from '../scope.ts';
import { lossy } from './codes.ts';

/** What is known beside the pings themselves. */
export interface PingContext {
  readonly groups: readonly ApiSecurityGroup[] | undefined;
  readonly members: ReadonlyMap<string, readonly string[]> | undefined;
  readonly resolutions: readonly Resolution[];
  /** Addresses the sender sends from, by host and namespace. */
  sourceOf(run: PingRun): string | undefined;
}

export interface JudgedPings {
  readonly findings: readonly Finding[];
  readonly note: string;
  readonly evidence: readonly Evidence[];
}

const rtt = (run: PingRun): string => (run.ping.rttMs === undefined ? '' : ` ${run.ping.rttMs.avg.toFixed(1)} ms`);
const score = (run: PingRun): string =>
  `${run.from === 'operator' ? 'here' : run.from}→${run.to} ${run.ping.received}/${run.ping.sent}${rtt(run)}`;

/** Whether the security groups let this ping in; undefined when that cannot be told. */
function letIn(port: Port, run: PingRun, context: PingContext): boolean | undefined {
  if (context.groups === undefined) return undefined;
  const verdict = expected(port, context.groups, context.members, echoFrom(context.sourceOf(run), run.to));
  switch (verdict.kind) {
    case 'allowed':
      return verdict.extent === 'whole' ? true : undefined;
    case 'denied':
      return false;
    case 'depends':
      return undefined;
  }
}

/**
 * Judges pings into the instance: silence is a symptom unless the security groups ask for it; an ARP answer then still
 * proves the way.
 */
export function judgePings(
  subject: PortSubject,
  pings: Observed<Pings>,
  context: PingContext,
  spec: FindingSpec,
  sentence: (run: PingRun, arp: string) => string,
): JudgedPings {
  const port = subject.port.value;
  const findings: Finding[] = [];
  const notes: string[] = [];
  for (const run of pings.value.runs) {
    const allowed = letIn(port, run, context);
    const resolution = context.resolutions.find(
      (r) => r.run.from === run.from && r.run.host === run.host && r.run.to === run.to,
    );
    const scope = portScope(subject, {
      host: [run.host, ...(portScope(subject).host ?? [])],
      ...(run.routerId === undefined ? {} : { router: [run.routerId] }),
    });
    if (run.ping.received === 0 && allowed === false) {
      const arp = resolution?.arp === 'answered' ? ', which answers ARP' : '';
      if (resolution?.arp !== 'failed') {
        notes.push(`${run.from}→${run.to} not judged: the security groups let no ping in${arp}`);
        continue;
      }
    }
    if (run.ping.received === 0) {
      const arp =
        resolution === undefined || resolution.arp === 'unknown'
          ? ''
          : resolution.arp === 'failed'
            ? '; nothing answers ARP for it'
            : `; ARP is answered by ${resolution.mac ?? '?'}`;
      findings.push(
        findingOf(spec, {
          summary: sentence(run, arp),
          subject: `ping ${run.from}@${run.host} → ${run.to}`,
          scope,
          evidence: resolution === undefined ? [run.evidence] : [run.evidence, resolution.evidence],
          verify: verifyWith('ping', subject),
        }),
      );
    } else if (run.ping.received < run.ping.sent) {
      findings.push(
        findingOf(lossy, {
          summary: `${run.ping.sent - run.ping.received} of ${run.ping.sent} pings from ${run.from} on ${run.host} to ${run.to} were lost`,
          subject: `ping ${run.from}@${run.host} → ${run.to}`,
          scope,
          evidence: [run.evidence],
          confidence: 'possible',
          verify: verifyWith('ping', subject),
        }),
      );
    } else notes.push(score(run));
  }
  for (const n of pings.value.notSent) notes.push(`${n.from}→${n.to} not sent`);
  return { findings, note: notes.join(' · '), evidence: pings.evidence };
}
