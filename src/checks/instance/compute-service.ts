import { span, utcMillis } from '../../engine/age.ts';
import { defineCheck, judged, skipped } from '../../engine/check.ts';
import type { Finding } from '../../engine/finding.ts';
import { advice, byOperator, findingOf, onHost, restartOf } from '../../engine/finding-of.ts';
import { err } from '../../engine/result.ts';
import { computeServices } from '../../facts/cloud-api.ts';
import { hostServices } from '../../facts/host.ts';
import { server } from '../../facts/instance-api.ts';
import { type Io, showing, source } from '../../facts/io.ts';
import type { ComputeService } from '../../facts/schemas/compute.ts';
import { type InstanceSubject, theCloud } from '../../facts/subject.ts';
import type { ServiceState } from '../../nodes/layouts/layout.ts';
import { verifyWith } from '../scope.ts';
import { computeCutOff, computeServiceDown } from './codes.ts';

const services = source<InstanceSubject, readonly ComputeService[]>(
  'instance.compute-services',
  (subject) => subject.id,
  (_, facts) => facts.get(computeServices, theCloud),
);

/** The units of the instance's own host; a host that cannot be reached leaves the API's word alone. */
const units = source<InstanceSubject, readonly ServiceState[]>(
  'instance.host-services',
  (subject) => subject.id,
  async (subject, facts) => {
    const host = subject.server.value['OS-EXT-SRV-ATTR:host'];
    return host ? facts.get(hostServices, host) : err({ kind: 'unsupported', because: 'it has no host' });
  },
);

const needs = { server, services };
const optional = { units };

export default defineCheck<Io, InstanceSubject, typeof needs, typeof optional>({
  id: 'instance.compute-service',
  per: 'instance',
  title: 'nova-compute of its host is up and enabled',
  needs,
  optional,
  findings: [computeServiceDown, computeCutOff],
  judge: ({ subject, facts, maybe, now }) => {
    const host = facts.server.value['OS-EXT-SRV-ATTR:host'];
    const computes = facts.services.value.filter((s) => s.binary === 'nova-compute');
    const [evidence] = facts.services.evidence;
    if (evidence === undefined) throw new Error('a list of services without evidence');
    const unplaced = !host && facts.server.value.status === 'ERROR';
    const relevant = unplaced ? computes : computes.filter((s) => s.host === host);
    if (!host && !unplaced) return skipped('it has no host yet');
    // An instance that never got a host stays in ERROR whatever becomes of the hosts.
    const then = unplaced ? ', then create the instance anew' : '';
    const anew = unplaced ? [advice('delete the instance and create it again: nothing places it a second time')] : [];
    const findings = relevant.flatMap((s): Finding[] => {
      const down = s.state !== 'up';
      const disabled = s.status !== 'enabled';
      if (!down && !disabled) return [];
      const age = s.updated_at ? `, last report ${span((now - utcMillis(s.updated_at)) / 1000)} ago` : '';
      const state = `nova-compute on ${s.host}: ${s.state}, ${s.status}${s.disabled_reason ? ` (${s.disabled_reason})` : ''}${age}`;
      const unit =
        maybe.units.ok && s.host === host
          ? maybe.units.value.value.find((u) => u.service === 'nova-compute')
          : undefined;
      const [unitEvidence] = maybe.units.ok ? maybe.units.value.evidence : [];
      if (down && unit?.state === 'active' && unitEvidence !== undefined) {
        return [
          findingOf(computeCutOff, {
            summary: `${unit.unit} on ${s.host} runs, but Nova gets no reports from it${age}`,
            subject: `nova-compute@${s.host}`,
            scope: { host: [s.host], instance: [subject.id], agent: [`nova-compute@${s.host}`] },
            evidence: [showing(evidence, state), showing(unitEvidence, `${unit.unit}: ${unit.detail || unit.state}`)],
            remedies: [
              {
                title: `find what stops ${s.host} from reaching the message queue`,
                risk: 'none',
                sufficient: false,
                steps: [
                  onHost(s.host, ['journalctl', '-u', unit.unit, '-n', '50', '--no-pager']),
                  onHost(s.host, ['ss', '-tnp', 'state', 'syn-sent']),
                ],
              },
            ],
            verify: verifyWith('net', subject),
          }),
        ];
      }
      return [
        findingOf(computeServiceDown, {
          summary: down
            ? `nova-compute on ${s.host} is down${age}`
            : `nova-compute on ${s.host} is disabled${s.disabled_reason ? `: ${s.disabled_reason}` : ''}`,
          subject: `nova-compute@${s.host}`,
          // A disabled service only keeps new instances away: nothing is wrong with those that run.
          severity: down || unplaced ? 'error' : 'info',
          scope: { host: [s.host], instance: [subject.id], agent: [`nova-compute@${s.host}`] },
          evidence: [showing(evidence, state)],
          remedies: [
            down
              ? {
                  title: `start nova-compute again${then}`,
                  risk: 'none',
                  sufficient: !unplaced,
                  steps: [restartOf(s.host, 'nova-compute'), ...anew],
                }
              : {
                  title: `enable it again${then}`,
                  risk: 'none',
                  sufficient: !unplaced,
                  steps: [
                    byOperator(['openstack', 'compute', 'service', 'set', '--enable', s.host, 'nova-compute']),
                    ...anew,
                  ],
                },
          ],
          verify: verifyWith('net', subject),
        }),
      ];
    });
    return judged(
      findings,
      `nova-compute on ${host ?? `${computes.length} hosts`} up and enabled`,
      facts.services.evidence,
    );
  },
});
