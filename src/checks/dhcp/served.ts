import { defineCheck, judged, skipped } from '../../engine/check.ts';
import type { Finding } from '../../engine/finding.ts';
import { byOperator, findingOf } from '../../engine/finding-of.ts';
import { type Io, showing } from '../../facts/io.ts';
import { dhcpAgents, dhcpHosts, portSubnets } from '../../facts/port-api.ts';
import type { PortSubject } from '../../facts/subject.ts';
import { agentName, portScope, verifyWith } from '../scope.ts';
import { notServed } from './codes.ts';

const needs = { subnets: portSubnets, hosts: dhcpHosts };
const optional = { agents: dhcpAgents };

export default defineCheck<Io, PortSubject, typeof needs, typeof optional>({
  id: 'dhcp.served',
  per: 'port',
  title: 'A DHCP agent serves the network',
  needs,
  optional,
  findings: [notServed],
  judge: ({ subject, facts, maybe }) => {
    const wanting = facts.subnets.value.filter((s) => s.enable_dhcp);
    if (wanting.length === 0) return skipped('no subnet of the network has DHCP enabled');
    const [evidence] = facts.hosts.evidence;
    if (evidence === undefined) throw new Error('DHCP hosts without evidence');
    const findings: Finding[] = [];
    const scheduled = maybe.agents.ok ? maybe.agents.value.value : [];
    const alive = scheduled.filter((a) => a.alive && a.admin_state_up);
    const agentEvidence = maybe.agents.ok ? maybe.agents.value.evidence : [];
    if (facts.hosts.value.length === 0 || (maybe.agents.ok && scheduled.length === 0)) {
      const network = subject.port.value.network_id;
      findings.push(
        findingOf(notServed, {
          summary: `No DHCP agent serves network ${network.slice(0, 8)}, though ${wanting.length} of its subnets want DHCP`,
          subject: `network ${network.slice(0, 8)}`,
          scope: portScope(subject, { agent: scheduled.map((a) => agentName(a.binary, a.host)) }),
          evidence: [
            showing(evidence, `DHCP hosts: ${facts.hosts.value.map((h) => h.host).join(', ') || '(none)'}`),
            ...agentEvidence.map((e) => showing(e, `scheduled agents: ${scheduled.length}`)),
          ],
          remedies: [
            {
              title: 'schedule the network to a DHCP agent that is alive',
              risk: 'none',
              sufficient: true,
              steps: [
                byOperator(['openstack', 'network', 'agent', 'list', '--agent-type', 'dhcp']),
                byOperator(['openstack', 'network', 'agent', 'add', 'network', '--dhcp', 'AGENT', network]),
              ],
            },
          ],
          verify: verifyWith('dhcp', subject),
        }),
      );
    }
    const hosts = facts.hosts.value.map((h) => h.host).join(', ');
    const note = maybe.agents.ok
      ? `served by ${hosts} (${alive.length} of ${scheduled.length} agents alive)`
      : `served by ${hosts}`;
    return judged(findings, note, facts.hosts.evidence);
  },
});
