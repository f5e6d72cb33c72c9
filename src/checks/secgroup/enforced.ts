import { defineCheck, judged, notSeen } from '../../engine/check.ts';
import type { Evidence } from '../../engine/evidence.ts';
import type { Finding } from '../../engine/finding.ts';
import { findingOf, onHost, restartOf } from '../../engine/finding-of.ts';
import { firewallOfPort } from '../../facts/firewall.ts';
import { type Io, showing } from '../../facts/io.ts';
import { placement } from '../../facts/placement.ts';
import type { PortSubject } from '../../facts/subject.ts';
import { nameOfRule } from '../../path/secgroup/words.ts';
import { deletingRule } from '../remedies.ts';
import { agentName, ownerName, portScope, verifyWith } from '../scope.ts';
import { notEnforced, notOnNode } from './codes.ts';

const needs = { placement };
const optional = { firewall: firewallOfPort };

export default defineCheck<Io, PortSubject, typeof needs, typeof optional>({
  id: 'secgroup.enforced',
  per: 'port',
  title: 'The node has the rules that the API has',
  families: ['agents', 'routed'],
  needs,
  optional,
  findings: [notOnNode, notEnforced],
  judge: ({ subject, facts, maybe }) => {
    const { host, backend } = facts.placement.value;
    if (!maybe.firewall.ok) return notSeen(maybe.firewall.error);
    const e = maybe.firewall.value.value;
    const [evidence, second] = maybe.firewall.value.evidence;
    if (evidence === undefined) throw new Error('a firewall without evidence');
    const of6 = /\bip6tables\b/;
    /** Each line under the dump that shows it: ip6tables' own where there is one. */
    const shown = (lines: readonly string[]): readonly [Evidence, ...Evidence[]] => {
      const [six, four] = [lines.filter((line) => of6.test(line)), lines.filter((line) => !of6.test(line))];
      if (second === undefined || six.length === 0) return [showing(evidence, lines)];
      return four.length === 0 ? [showing(second, six)] : [showing(evidence, four), showing(second, six)];
    };
    const [agent = 'the L2 agent'] = backend.agents('compute');
    const scope = portScope(subject, { host: [host], agent: [agentName(agent, host)] });
    const verify = verifyWith('secgroup', subject);
    const findings: Finding[] = [];
    const restart = {
      title: 'let the L2 agent write the rules again',
      risk: 'none',
      sufficient: true,
      steps: [restartOf(host, agent)],
    } as const;
    const lacking = [
      ...e.chainsMissing.map((c) => `no ${c}`),
      ...e.missing.map((m) => `${m.where}: no ${m.expected.join(' / ')}`),
      ...e.baseMissing.map((b) => `no ${b}`),
    ];
    if (lacking.length > 0) {
      const which = e.missing.map((m) => `${nameOfRule(m.of.rule)} of ${m.of.group.name}`);
      findings.push(
        findingOf(notOnNode, {
          summary: `${host} lacks ${which.length > 0 ? `the rule${which.length === 1 ? '' : 's'} ${which.slice(0, 3).join(', ')}${which.length > 3 ? ` and ${which.length - 3} more` : ''}` : `${lacking.length} of the rules`} of ${ownerName(subject)}'s port`,
          subject: `firewall of port ${subject.id.slice(0, 8)}@${host}`,
          scope,
          evidence: shown(lacking.slice(0, 6)),
          remedies: [restart],
          verify,
        }),
      );
    }
    const extra = e.extra.filter((x) => x.effect === 'lets through');
    if (extra.length > 0) {
      findings.push(
        findingOf(notOnNode, {
          summary: `${host} still lets through what the API no longer allows for ${ownerName(subject)}`,
          subject: `firewall of port ${subject.id.slice(0, 8)}@${host}`,
          severity: 'warning',
          scope,
          evidence: shown(extra.slice(0, 4).map((x) => `${x.where}: ${x.raw}`)),
          remedies: [restart],
          verify,
        }),
      );
    }
    const [loose] = e.notEnforced;
    if (loose !== undefined) {
      const key = loose.by === 'bridge-netfilter-off' ? loose.key : undefined;
      findings.push(
        findingOf(notEnforced, {
          summary:
            loose.by === 'bridge-netfilter-off'
              ? `Security groups do not act on ${host}: ${loose.key} is ${loose.value ?? 'not there (br_netfilter is not loaded)'}`
              : loose.by === 'no-jump'
                ? `Nothing on ${host} leads packets of ${loose.device} to ${loose.to}`
                : loose.by === 'accepted-before'
                  ? `A rule that Neutron did not make on ${host} accepts packets of ${ownerName(subject)} before its security groups are asked: ${loose.where}`
                  : `${ownerName(subject)} is let through on ${host} as if its port security were off`,
          subject: `firewall of port ${subject.id.slice(0, 8)}@${host}`,
          scope,
          evidence: shown([
            loose.by === 'accepted-before'
              ? `${loose.where}  ${loose.raw}  ${loose.packets} packets so far`
              : JSON.stringify(loose),
          ]),
          remedies: [
            loose.by === 'accepted-before'
              ? deletingRule(host, loose.remove)
              : key === undefined || loose.by !== 'bridge-netfilter-off'
                ? restart
                : {
                    title: 'let bridged packets pass iptables',
                    risk: 'reversible',
                    sufficient: true,
                    steps: [
                      // The key is there as soon as the module is.
                      ...(loose.value === undefined ? [onHost(host, ['modprobe', 'br_netfilter'])] : []),
                      onHost(host, ['sysctl', '-w', `${key}=1`]),
                    ],
                  },
          ],
          verify,
        }),
      );
    }
    return judged(
      findings,
      `${e.found.length} rules present on ${host}`,
      [evidence],
      ['firewall of the node as Neutron wants it'],
    );
  },
});
