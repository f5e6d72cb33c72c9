import { defineCheck, judged } from '../../engine/check.ts';
import { byOperator, findingOf } from '../../engine/finding-of.ts';
import { ports } from '../../facts/instance-api.ts';
import { type Io, showing } from '../../facts/io.ts';
import { type InstanceSubject, shortId } from '../../facts/subject.ts';
import { instanceScope, verifyWith } from '../scope.ts';
import { noPort } from './codes.ts';

const needs = { ports };

export default defineCheck<Io, InstanceSubject, typeof needs>({
  id: 'port.attached',
  per: 'instance',
  title: 'The instance has a port',
  needs,
  findings: [noPort],
  judge: ({ subject, facts }) => {
    const list = facts.ports.value;
    const [evidence] = facts.ports.evidence;
    if (evidence === undefined) throw new Error('a list of ports without evidence');
    const status = subject.server.value.status;
    // An instance that never got a host may have no port yet: the reason lies in its status.
    const missing = list.length === 0 && status !== 'BUILD' && status !== 'ERROR';
    return judged(
      missing
        ? [
            findingOf(noPort, {
              summary: `${subject.name} has no port: nothing connects it to a network`,
              subject: `instance ${subject.name}`,
              scope: instanceScope(subject),
              evidence: [showing(evidence, 'ports []')],
              remedies: [
                {
                  title: 'attach a network',
                  risk: 'none',
                  sufficient: false,
                  steps: [byOperator(['openstack', 'server', 'add', 'network', subject.id, 'NETWORK'])],
                },
              ],
              verify: verifyWith('port', subject),
            }),
          ]
        : [],
      list.length === 1
        ? ''
        : `${list.length} ports${list.length === 0 ? '' : `: ${list.map((p) => shortId(p.id)).join(', ')}`}`,
      facts.ports.evidence,
    );
  },
});
