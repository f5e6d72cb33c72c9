import { defineCheck, judged, passed } from '../../engine/check.ts';
import type { Finding } from '../../engine/finding.ts';
import { byOperator, findingOf } from '../../engine/finding-of.ts';
import { asked } from '../../facts/asked.ts';
import { type Io, showing } from '../../facts/io.ts';
import { portItself, remoteMembers, securityGroups } from '../../facts/port-api.ts';
import type { PortSubject } from '../../facts/subject.ts';
import { familyOf, parseAddress } from '../../path/addresses.ts';
import type { Probe, Verdict } from '../../path/secgroup/model.ts';
import { remedyEgress, remedyRule } from '../../path/secgroup/remedies.ts';
import { explainVerdict, nameOfProbe } from '../../path/secgroup/words.ts';
import { expected } from '../expected.ts';
import { ownerName, portScope, verifyWith } from '../scope.ts';
import { denied, deniedOut, securityOff } from './codes.ts';

const needs = { port: portItself, groups: securityGroups, asked };
const optional = { members: remoteMembers };

export default defineCheck<Io, PortSubject, typeof needs, typeof optional>({
  id: 'secgroup.allowed',
  per: 'port',
  title: 'The security groups let the traffic through',
  needs,
  optional,
  findings: [denied, deniedOut, securityOff],
  judge: ({ subject, facts, maybe }) => {
    const port = facts.port.value;
    const groups = facts.groups.value;
    const [evidence] = facts.groups.evidence.length > 0 ? facts.groups.evidence : facts.port.evidence;
    if (evidence === undefined) throw new Error('security groups without evidence');
    const verify = verifyWith('secgroup', subject);
    if (port.port_security_enabled === false) {
      const [portEvidence = evidence] = facts.port.evidence;
      return judged(
        [
          findingOf(securityOff, {
            summary: `Port security of ${ownerName(subject)} is off: nothing filters it`,
            subject: `port ${port.id.slice(0, 8)}`,
            scope: portScope(subject),
            evidence: [showing(portEvidence, 'port_security_enabled false')],
            verify,
          }),
        ],
        'port security off',
        facts.port.evidence,
      );
    }
    const members = maybe.members.ok ? maybe.members.value.value : undefined;
    const { probes, explicit, from } = facts.asked.value;
    const families = [...new Set(port.fixed_ips.map((f) => parseAddress(f.ip_address)?.family ?? 4))];
    const judge = (probe: Probe): Verdict => expected(port, groups, members, probe);
    const ingress = families.flatMap((family) =>
      probes
        .filter(() => from === undefined || familyOf(from) === family)
        .map(
          (p): Probe => ({
            protocol: p.protocol,
            family,
            direction: 'ingress',
            ...(p.port === undefined ? {} : { port: p.port }),
            ...(p.protocol === 'icmp' ? { icmpType: family === 4 ? 8 : 128 } : {}),
            ...(from === undefined ? {} : { remote: from }),
          }),
        ),
    );
    const verdicts = ingress.map((probe) => ({ probe, verdict: judge(probe) }));
    const names = groups.map((g) => g.name).join(', ') || '(none)';
    const lines = verdicts.map(({ probe, verdict }) => explainVerdict(verdict, probe));
    const refused = verdicts.filter((v) => v.verdict.kind === 'denied');
    const findings: Finding[] = [];
    // Without a word from the operator only "none of the usual ways in" is a fault: many instances rightly answer no ping.
    const grave = explicit ? refused.length > 0 : refused.length > 0 && refused.length === verdicts.length;
    const first = groups[0];
    if (refused.length > 0) {
      const wanted = refused.map((r) => nameOfProbe(r.probe)).join(' and ');
      findings.push(
        findingOf(denied, {
          summary: `No rule of ${ownerName(subject)}'s security groups (${names}) lets ${wanted} in${from === undefined ? '' : ` from ${from}`}`,
          subject: `security groups ${names}`,
          scope: portScope(subject),
          severity: grave ? 'error' : 'info',
          evidence: [
            showing(
              evidence,
              refused.map((r) => explainVerdict(r.verdict, r.probe)),
            ),
          ],
          remedies:
            first === undefined
              ? [
                  {
                    title: 'give the port a security group',
                    risk: 'none',
                    sufficient: false,
                    steps: [byOperator(['openstack', 'port', 'set', '--security-group', 'GROUP', port.id])],
                  },
                ]
              : [
                  {
                    title: 'add a rule for what is wanted',
                    risk: 'none',
                    sufficient: true,
                    steps: refused.map((r) => byOperator(remedyRule(r.probe, { id: first.id }))),
                  },
                ],
          verify,
        }),
      );
    }
    const out = families.map((family): Probe => ({ protocol: 'tcp', family, direction: 'egress', port: 80 }));
    const shut = out.filter((probe) => judge(probe).kind === 'denied');
    if (shut.length > 0 && shut.length === out.length) {
      findings.push(
        findingOf(deniedOut, {
          summary: `No rule of ${ownerName(subject)}'s security groups (${names}) lets it open connections itself`,
          subject: `security groups ${names}`,
          scope: portScope(subject),
          evidence: [
            showing(
              evidence,
              shut.map((probe) => explainVerdict(judge(probe), probe)),
            ),
          ],
          remedies:
            first === undefined
              ? []
              : [
                  {
                    title: 'add the default egress rules',
                    risk: 'none',
                    sufficient: true,
                    steps: families.map((family) => byOperator(remedyEgress(family, first))),
                  },
                ],
          verify,
        }),
      );
    }
    if (findings.length > 0) return judged(findings, '', [showing(evidence, lines)]);
    return passed(lines.join('; '), [showing(evidence, lines)], ['security groups']);
  },
});
