import { defineCheck, judged, notSeen, skipped } from '../../engine/check.ts';
import { findingOf, onHost } from '../../engine/finding-of.ts';
import { type Io, showing } from '../../facts/io.ts';
import { placement } from '../../facts/placement.ts';
import { segmentOnHosts } from '../../facts/segment.ts';
import type { PortSubject } from '../../facts/subject.ts';
import { agentName, linkName, ownerName, portScope, verifyWith } from '../scope.ts';
import { wrongSegment } from './codes.ts';

const needs = { placement };
const optional = { segment: segmentOnHosts };

export default defineCheck<Io, PortSubject, typeof needs, typeof optional>({
  id: 'tunnel.segment',
  per: 'port',
  title: 'The hosts of the path carry the network under its own segment',
  families: ['agents', 'routed'],
  needs,
  optional,
  findings: [wrongSegment],
  judge: ({ subject, facts, maybe }) => {
    if (!maybe.segment.ok) return notSeen(maybe.segment.error);
    const { differences, compared } = maybe.segment.value.value;
    if (compared.length === 0) return skipped("no host's end of the segment could be compared");
    const { backend, segment } = facts.placement.value;
    const [agent = 'the L2 agent'] = backend.agents('compute');
    return judged(
      differences.map((d) =>
        findingOf(wrongSegment, {
          summary: `${d.host} does not carry ${ownerName(subject)}'s network as Neutron orders: ${d.what} should have ${d.ordered} and has ${d.actual}`,
          subject: `segment of ${segment.networkName}@${d.host}`,
          scope: portScope(subject, {
            host: [d.host],
            agent: [agentName(agent, d.host)],
            link: d.peers.map((p) => linkName(d.host, p)),
          }),
          evidence: [showing(d.evidence, [`ordered: ${d.ordered}; ${d.what} has: ${d.actual}`, ...d.lines])],
          remedies: [
            {
              title: 'let the L2 agent make it again',
              risk: 'brief-interruption',
              sufficient: true,
              steps: [
                ...(d.device === undefined ? [] : [onHost(d.host, ['ip', 'link', 'del', d.device])]),
                onHost(d.host, ['systemctl', 'restart', agent]),
              ],
            },
          ],
          verify: verifyWith('host', subject),
        }),
      ),
      `segment ${segment.id ?? '?'} on ${compared.join(', ')}`,
      [],
      ['segment (VNI)'],
    );
  },
});
