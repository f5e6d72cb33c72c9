import { defineCheck, judged, skipped } from '../../engine/check.ts';
import { failed } from '../../engine/fact.ts';
import type { Finding } from '../../engine/finding.ts';
import { byOperator, findingOf } from '../../engine/finding-of.ts';
import { consoleLog } from '../../facts/console.ts';
import { type Io, showing, source } from '../../facts/io.ts';
import { dhcpAgents, dhcpHosts, everyAgent, portSubnets } from '../../facts/port-api.ts';
import type { PortSubject } from '../../facts/subject.ts';
import type { ConsoleLog } from '../../nodes/parse/console-log.ts';
import { scheduling } from '../remedies.ts';
import { agentName, ownerName, portScope, verifyWith } from '../scope.ts';
import { notServed, switchedOff } from './codes.ts';

const needs = { subnets: portSubnets, hosts: dhcpHosts };
/** What the console of its instance tells of the last boot. */
const portConsole = source<PortSubject, { readonly log: ConsoleLog }>(
  'port.console-log',
  (s) => s.id,
  (subject, facts) =>
    subject.instance === undefined
      ? Promise.resolve(failed({ kind: 'unsupported', because: 'the port has no instance' }))
      : facts.get(consoleLog, subject.instance),
);

const optional = { agents: dhcpAgents, console: portConsole, all: everyAgent };

export default defineCheck<Io, PortSubject, typeof needs, typeof optional>({
  id: 'dhcp.served',
  per: 'port',
  title: 'A DHCP agent serves the network',
  families: ['agents', 'routed'],
  needs,
  optional,
  findings: [notServed, switchedOff],
  judge: ({ subject, facts, maybe }) => {
    const wanting = facts.subnets.value.filter((s) => s.enable_dhcp);
    const log = maybe.console.ok ? maybe.console.value.value.log : undefined;
    const every = maybe.all.ok ? maybe.all.value.value : [];
    if (wanting.length === 0) {
      const [subnet] = facts.subnets.value.filter((s) =>
        subject.port.value.fixed_ips.some((f) => f.subnet_id === s.id),
      );
      const [api] = facts.subnets.evidence;
      if (log?.noLease !== true || log.lease !== undefined || subnet === undefined || api === undefined)
        return skipped('no subnet of the network has DHCP enabled');
      return judged(
        [
          findingOf(switchedOff, {
            summary: `DHCP is off on subnet ${subnet.cidr}, and ${ownerName(subject)} asked for a lease in vain`,
            subject: `subnet ${subnet.cidr}`,
            scope: portScope(subject),
            evidence: [
              showing(api, `enable_dhcp false on ${facts.subnets.value.map((s) => s.cidr).join(', ')}`),
              ...(maybe.console.ok ? maybe.console.value.evidence : []).map((e) =>
                showing(e, 'the DHCP client of the instance got no lease'),
              ),
            ],
            remedies: [
              {
                title: 'switch DHCP on, and let the instance ask again',
                risk: 'disruptive',
                sufficient: true,
                steps: [
                  byOperator(['openstack', 'subnet', 'set', '--dhcp', subnet.id]),
                  ...(subject.instance === undefined
                    ? []
                    : [byOperator(['openstack', 'server', 'reboot', '--hard', '--wait', subject.instance.id])]),
                ],
              },
            ],
            verify: verifyWith('net', subject),
          }),
        ],
        '',
      );
    }
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
            scheduling('schedule the network to a DHCP agent that is alive', every, 'neutron-dhcp-agent', (id) => [
              'openstack',
              'network',
              'agent',
              'add',
              'network',
              '--dhcp',
              id,
              network,
            ]),
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
