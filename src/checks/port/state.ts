import { defineCheck, judged } from '../../engine/check.ts';
import type { Finding } from '../../engine/finding.ts';
import { byOperator, findingOf } from '../../engine/finding-of.ts';
import { type Io, showing } from '../../facts/io.ts';
import { portItself, portNetwork } from '../../facts/port-api.ts';
import { computeHostOf, type PortSubject, shortId } from '../../facts/subject.ts';
import { ownerName, portScope, verifyWith } from '../scope.ts';
import { adminDown, networkDown, portDown } from './codes.ts';

const needs = { port: portItself, network: portNetwork };

export default defineCheck<Io, PortSubject, typeof needs>({
  id: 'port.state',
  per: 'port',
  title: 'The port and its network are up',
  needs,
  findings: [adminDown, networkDown, portDown],
  judge: ({ subject, facts }) => {
    const p = facts.port.value;
    const n = facts.network.value;
    const [evidence] = facts.port.evidence;
    const [networkEvidence] = facts.network.evidence;
    if (evidence === undefined || networkEvidence === undefined) throw new Error('a port without evidence');
    const findings: Finding[] = [];
    const verify = verifyWith('port', subject);
    if (!n.admin_state_up) {
      findings.push(
        findingOf(networkDown, {
          summary: `Network ${n.name} is administratively down`,
          subject: `network ${n.name}`,
          scope: portScope(subject),
          evidence: [showing(networkEvidence, `admin_state_up false, status ${n.status ?? '?'}`)],
          remedies: [
            {
              title: 'set the network up',
              risk: 'none',
              sufficient: true,
              steps: [byOperator(['openstack', 'network', 'set', '--enable', n.id])],
            },
          ],
          verify,
        }),
      );
    }
    if (!p.admin_state_up) {
      findings.push(
        findingOf(adminDown, {
          summary: `Port ${shortId(p.id)} of ${ownerName(subject)} is administratively down`,
          subject: `port ${shortId(p.id)}`,
          scope: portScope(subject),
          evidence: [showing(evidence, `admin_state_up false, status ${p.status}`)],
          remedies: [
            {
              title: 'set the port up',
              risk: 'none',
              sufficient: true,
              steps: [byOperator(['openstack', 'port', 'set', '--enable', p.id])],
            },
          ],
          verify,
        }),
      );
    } else if (p.status === 'DOWN' && subject.instance?.server.value.status === 'ACTIVE') {
      const host = computeHostOf(subject);
      findings.push(
        findingOf(portDown, {
          summary: `Neutron says port ${shortId(p.id)} of ${ownerName(subject)} is DOWN: the agent${host === undefined ? '' : ` on ${host}`} has not wired it`,
          subject: `port ${shortId(p.id)}`,
          scope: portScope(subject),
          evidence: [showing(evidence, `status DOWN, admin_state_up true, vif_type ${p['binding:vif_type'] ?? '?'}`)],
          verify,
        }),
      );
    }
    return judged(findings, `${p.status}, up`, facts.port.evidence);
  },
});
