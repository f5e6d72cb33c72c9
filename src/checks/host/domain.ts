import { defineCheck, judged } from '../../engine/check.ts';
import { byOperator, findingOf, onHost } from '../../engine/finding-of.ts';
import { domain } from '../../facts/domain.ts';
import { server } from '../../facts/instance-api.ts';
import { type Io, showing } from '../../facts/io.ts';
import type { InstanceSubject } from '../../facts/subject.ts';
import { instanceScope, verifyWith } from '../scope.ts';
import { domainNotRunning } from './codes.ts';

const needs = { server, domain };

export default defineCheck<Io, InstanceSubject, typeof needs>({
  id: 'host.domain',
  per: 'instance',
  title: 'libvirt runs the instance on its host',
  needs,
  findings: [domainNotRunning],
  judge: ({ subject, facts }) => {
    const d = facts.domain.value;
    const s = facts.server.value;
    const [evidence] = facts.domain.evidence;
    if (evidence === undefined) throw new Error('a domain without evidence');
    const should = s.status === 'ACTIVE' && s['OS-EXT-STS:task_state'] == null;
    if (!should || d.state === 'running' || d.state === 'idle') {
      return judged([], `domain ${d.name} ${d.state} on ${d.host}`, facts.domain.evidence, ['instance off']);
    }
    return judged(
      [
        findingOf(domainNotRunning, {
          summary: `${subject.name} is ${d.state} for libvirt on ${d.host}, though Nova says ${s.status}`,
          subject: `domain ${d.name}@${d.host}`,
          scope: instanceScope(subject),
          evidence: [showing(evidence, d.state), ...facts.server.evidence.map((e) => showing(e, `status ${s.status}`))],
          remedies: [
            {
              title: 'start it through Nova',
              risk: 'none',
              sufficient: true,
              steps:
                d.state === 'paused'
                  ? [onHost(d.host, ['virsh', 'resume', d.name])]
                  : [byOperator(['openstack', 'server', 'reboot', '--hard', subject.id])],
            },
          ],
          verify: verifyWith('host', subject),
        }),
      ],
      '',
    );
  },
});
