import { defineCheck, judged, skipped } from '../../engine/check.ts';
import type { Finding } from '../../engine/finding.ts';
import { byOperator, findingOf, onHost } from '../../engine/finding-of.ts';
import { computeServices } from '../../facts/cloud-api.ts';
import { server } from '../../facts/instance-api.ts';
import { type Io, showing, source } from '../../facts/io.ts';
import { theCloud, type InstanceSubject } from '../../facts/subject.ts';
import { span, utcMillis } from '../age.ts';
import { computeServiceDown } from './codes.ts';

const services = source<InstanceSubject, readonly import('../../facts/schemas/compute.ts').ComputeService[]>(
  'instance.compute-services',
  (subject) => subject.id,
  (_, facts) => facts.get(computeServices, theCloud),
);

const needs = { server, services };

export default defineCheck<Io, InstanceSubject, typeof needs>({
  id: 'instance.compute-service',
  per: 'instance',
  title: 'nova-compute of its host is up and enabled',
  needs,
  findings: [computeServiceDown],
  judge: ({ subject, facts, now }) => {
    const host = facts.server.value['OS-EXT-SRV-ATTR:host'];
    const computes = facts.services.value.filter((s) => s.binary === 'nova-compute');
    const [evidence] = facts.services.evidence;
    if (evidence === undefined) throw new Error('a list of services without evidence');
    const unplaced = !host && facts.server.value.status === 'ERROR';
    const relevant = unplaced ? computes : computes.filter((s) => s.host === host);
    if (!host && !unplaced) return skipped('it has no host yet');
    const findings = relevant.flatMap((s): Finding[] => {
      const down = s.state !== 'up';
      const disabled = s.status !== 'enabled';
      if (!down && !disabled) return [];
      const age = s.updated_at ? `, last report ${span((now - utcMillis(s.updated_at)) / 1000)} ago` : '';
      const state = `nova-compute on ${s.host}: ${s.state}, ${s.status}${s.disabled_reason ? ` (${s.disabled_reason})` : ''}${age}`;
      return [
        findingOf(computeServiceDown, {
          summary: down ? `nova-compute on ${s.host} is down${age}` : `nova-compute on ${s.host} is disabled${s.disabled_reason ? `: ${s.disabled_reason}` : ''}`,
          subject: `nova-compute@${s.host}`,
          // A disabled service only keeps new instances away: nothing is wrong with those that run.
          severity: down || unplaced ? 'error' : 'info',
          scope: { host: [s.host], instance: [subject.id], agent: [`nova-compute@${s.host}`] },
          evidence: [showing(evidence, state)],
          remedies: [
            down
              ? {
                  title: 'start nova-compute again',
                  risk: 'none',
                  sufficient: true,
                  steps: [onHost(s.host, ['systemctl', 'restart', 'nova-compute'])],
                }
              : {
                  title: 'enable it again',
                  risk: 'none',
                  sufficient: true,
                  steps: [byOperator(['openstack', 'compute', 'service', 'set', '--enable', s.host, 'nova-compute'])],
                },
          ],
          verify: `ostk-doctor net ${subject.name}`,
        }),
      ];
    });
    return judged(findings, `nova-compute on ${host ?? `${computes.length} hosts`} up and enabled`, facts.services.evidence);
  },
});
