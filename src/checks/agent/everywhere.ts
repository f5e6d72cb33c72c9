import { span, utcMillis } from '../../engine/age.ts';
import { defineCheck, judged } from '../../engine/check.ts';
import type { Finding } from '../../engine/finding.ts';
import { findingOf, onHost } from '../../engine/finding-of.ts';
import { agents } from '../../facts/cloud-api.ts';
import { type Io, showing } from '../../facts/io.ts';
import type { CloudSubject } from '../../facts/subject.ts';
import { agentName } from '../scope.ts';
import { deadUnseen, disabled } from './codes.ts';

const needs = { agents };

export default defineCheck<Io, CloudSubject, typeof needs>({
  id: 'agent.everywhere',
  per: 'cloud',
  title: 'Every agent of the cloud reports',
  needs,
  findings: [deadUnseen, disabled],
  judge: ({ facts, now }) => {
    const [evidence] = facts.agents.evidence;
    if (evidence === undefined) throw new Error('a list of agents without evidence');
    const list = facts.agents.value;
    const findings = list.flatMap((a): Finding[] => {
      if (a.alive && a.admin_state_up) return [];
      const spec = a.alive ? disabled : deadUnseen;
      const age = a.heartbeat_timestamp ? span((now - utcMillis(a.heartbeat_timestamp)) / 1000) : 'never';
      return [
        findingOf(spec, {
          summary: a.alive
            ? `${a.binary} on ${a.host} is administratively disabled`
            : `${a.binary} on ${a.host} is dead for OpenStack (last heartbeat ${age} ago)`,
          subject: `agent ${agentName(a.binary, a.host)}`,
          scope: { host: [a.host], agent: [agentName(a.binary, a.host)] },
          evidence: [
            showing(
              evidence,
              `${a.binary}@${a.host} alive=${a.alive} admin_state_up=${a.admin_state_up} heartbeat ${a.heartbeat_timestamp ?? 'never'}`,
            ),
          ],
          remedies: [
            {
              title: 'look at the agent on its node',
              risk: 'none',
              sufficient: false,
              steps: [onHost(a.host, ['systemctl', 'status', a.binary])],
            },
          ],
          verify: 'ostk-doctor agents',
        }),
      ];
    });
    const hosts = new Set(list.map((a) => a.host)).size;
    return judged(findings, `${list.length} agents on ${hosts} hosts, all alive`, [evidence]);
  },
});
