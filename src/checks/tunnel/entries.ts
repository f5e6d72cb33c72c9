import { blocked, defineCheck, judged, notSeen } from '../../engine/check.ts';
import type { Evidence } from '../../engine/evidence.ts';
import type { FactFailure } from '../../engine/failure.ts';
import type { Finding } from '../../engine/finding.ts';
import { findingOf, restartOf } from '../../engine/finding-of.ts';
import { type Forwarding, forwardings } from '../../facts/forwarding.ts';
import { type Io, showing } from '../../facts/io.ts';
import { placement } from '../../facts/placement.ts';
import type { PortSubject } from '../../facts/subject.ts';
import { agentName, linkName, ownerName, portScope, verifyWith } from '../scope.ts';
import { noEntry } from './codes.ts';

const needs = { placement };
const optional = { forwardings };

/** What the host lacks to send to the other end, in words; undefined when it lacks nothing. */
function lack(f: Forwarding): string | undefined {
  if (!f.way.exists) return `no tunnel to ${f.to} (${f.endpoint}): ${f.way.words}`;
  const wrong = f.entries.find((e) => e.leadsTo !== undefined && e.leadsTo !== f.endpoint);
  if (wrong !== undefined) return `${wrong.mac} sent to ${wrong.leadsTo ?? '?'} instead of ${f.endpoint}`;
  const missing = f.entries.filter((e) => e.leadsTo === undefined);
  if (!f.flood && missing.length > 0)
    return `neither a broadcast entry nor one for ${missing.map((m) => m.mac).join(', ')} towards ${f.endpoint}`;
  if (!f.flood)
    return `no broadcast entry towards ${f.endpoint}: ARP and DHCP requests of the network do not get there`;
  return undefined;
}

/** What the hosts lack to send to each other, and which ways are whole. `agent`: the binary that writes the entries. */
export function entryFindings(
  subject: PortSubject,
  ways: readonly Forwarding[],
  agent: string,
  verify: string = verifyWith('host', subject),
): { readonly findings: readonly Finding[]; readonly notes: readonly string[] } {
  const findings: Finding[] = [];
  const notes: string[] = [];
  for (const f of ways) {
    const words = lack(f);
    if (words === undefined) {
      notes.push(`${f.from} → ${f.to}`);
      continue;
    }
    const evidence: Evidence = showing(f.evidence, f.lines.length > 0 ? f.lines : ['(no entry)']);
    findings.push(
      findingOf(noEntry, {
        summary: `${f.from} does not know how to reach ${ownerName(subject)}'s network on ${f.to}: ${words}`,
        subject: `forwarding ${f.from} → ${f.to}`,
        scope: portScope(subject, {
          host: [f.from, f.to],
          agent: [agentName(agent, f.from)],
          link: [linkName(f.from, f.to)],
        }),
        evidence: [evidence],
        remedies: [
          {
            title: 'let the L2 agents exchange their entries again',
            risk: 'brief-interruption',
            sufficient: true,
            steps: [restartOf(f.from, agent)],
          },
        ],
        verify,
      }),
    );
  }
  return { findings, notes };
}

export default defineCheck<Io, PortSubject, typeof needs, typeof optional>({
  id: 'tunnel.entries',
  per: 'port',
  title: 'The hosts of the path know their way to each other',
  families: ['agents', 'routed'],
  needs,
  optional,
  findings: [noEntry],
  judge: ({ subject, facts, maybe }) => {
    if (!maybe.forwardings.ok) return notSeen(maybe.forwardings.error);
    const { backend } = facts.placement.value;
    const [agent = 'the L2 agent'] = backend.agents('compute');
    const { ways, unseen } = maybe.forwardings.value.value;
    const { findings, notes } = entryFindings(subject, ways, agent);
    const [blind]: readonly FactFailure[] = unseen;
    if (findings.length === 0 && ways.length === 0 && blind !== undefined) return blocked(blind);
    return judged(findings, notes.join(', '), maybe.forwardings.value.evidence, ['tunnel entries']);
  },
});
