import { span, utcMillis } from '../../engine/age.ts';
import { defineCheck, judged, skipped } from '../../engine/check.ts';
import type { Finding } from '../../engine/finding.ts';
import { findingOf, restartOf } from '../../engine/finding-of.ts';
import { computeServices } from '../../facts/cloud-api.ts';
import { server } from '../../facts/instance-api.ts';
import { type Io, showing, source } from '../../facts/io.ts';
import type { ComputeService } from '../../facts/schemas/compute.ts';
import { type InstanceSubject, theCloud } from '../../facts/subject.ts';
import { controlPlaneDown } from './codes.ts';

const services = source<InstanceSubject, readonly ComputeService[]>(
  'instance.control-plane',
  (subject) => subject.id,
  (_, facts) => facts.get(computeServices, theCloud),
);

const needs = { server, services };

export default defineCheck<Io, InstanceSubject, typeof needs>({
  id: 'instance.control-plane',
  per: 'instance',
  title: 'nova-scheduler and nova-conductor report',
  needs,
  findings: [controlPlaneDown],
  judge: ({ subject, facts, now }) => {
    const [evidence] = facts.services.evidence;
    if (evidence === undefined) throw new Error('a list of services without evidence');
    const s = facts.server.value;
    const waits = s.status === 'BUILD' || s['OS-EXT-STS:task_state'] != null;
    const notes: string[] = [];
    const findings = ['nova-scheduler', 'nova-conductor'].flatMap((binary): Finding[] => {
      const all = facts.services.value.filter((x) => x.binary === binary);
      if (all.length === 0) return [];
      const up = all.filter((x) => x.state === 'up');
      // One of several is enough; rows of hosts that left stay in the list for ever.
      if (up.length > 0) {
        notes.push(`${binary} on ${up.map((x) => x.host).join(', ')}`);
        return [];
      }
      const ages = all.map((x) =>
        x.updated_at ? ` (last report ${span((now - utcMillis(x.updated_at)) / 1000)} ago)` : '',
      );
      return [
        findingOf(controlPlaneDown, {
          summary: `${binary} on ${all.map((x) => x.host).join(', ')} is down${ages[0] ?? ''}${waits ? `: nothing goes on with ${subject.name} (${s.status}, ${s['OS-EXT-STS:task_state'] ?? 'no task'})` : ''}`,
          subject: all.map((x) => `${binary}@${x.host}`).join(', '),
          // Instances that run go on without it.
          severity: waits || s.status === 'ERROR' ? 'error' : 'warning',
          scope: { instance: [subject.id], host: all.map((x) => x.host) },
          evidence: [
            showing(
              evidence,
              all.map((x) => `${binary}@${x.host} state ${x.state}, status ${x.status}`),
            ),
          ],
          remedies: [
            {
              title: `start ${binary} again`,
              risk: 'none',
              sufficient: true,
              steps: all.map((x) => restartOf(x.host, binary)),
            },
          ],
          verify: `ostk-doctor net ${subject.name}`,
        }),
      ];
    });
    if (findings.length === 0 && notes.length === 0) return skipped('the services are hidden from these credentials');
    return judged(findings, notes.join(', '), [evidence]);
  },
});
