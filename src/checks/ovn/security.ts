import { defineCheck, judged, skipped } from '../../engine/check.ts';
import type { Finding, FindingSpec, Remedy } from '../../engine/finding.ts';
import { findingOf } from '../../engine/finding-of.ts';
import { type Io, showing } from '../../facts/io.ts';
import { addressSets } from '../../facts/ovn/extras.ts';
import { logicalView } from '../../facts/ovn/logical.ts';
import { remoteMemberPorts, securityGroups } from '../../facts/port-api.ts';
import { type PortSubject, shortId } from '../../facts/subject.ts';
import { compareAcls, compareAddressSets, compareStrangerGroups } from '../../path/ovn/compare-acls.ts';
import { isSecured } from '../../path/ovn/ordered.ts';
import { groupFromApi } from '../../path/secgroup/from-api.ts';
import { nameOfRule } from '../../path/secgroup/words.ts';
import { portScope, verifyWith } from '../scope.ts';
import { notEnforced, notOnNode } from '../secgroup/codes.ts';
import { aclStranger, addressSetStale } from './codes-ordered.ts';
import { databasesOf, evidenceOf, findingsOf, ovnStep, portName } from './judge-differences.ts';

const needs = { logical: logicalView, groups: securityGroups };
const optional = { members: remoteMemberPorts, sets: addressSets, databases: databasesOf };

export default defineCheck<Io, PortSubject, typeof needs, typeof optional>({
  id: 'ovn.security',
  per: 'port',
  title: 'The ACLs of the Northbound are those that the security groups order',
  families: ['ovn'],
  needs,
  optional,
  findings: [notOnNode, notEnforced, aclStranger, addressSetStale],
  judge: ({ subject, facts, maybe }) => {
    const view = facts.logical.value;
    if (view.port === undefined) return skipped('OVN does not have the port');
    const port = subject.port.value;
    const name = portName(subject);
    const groups = facts.groups.value.map(groupFromApi);
    const e = compareAcls(port, groups, view);
    const evidence = evidenceOf('ACL', facts.logical.evidence);
    const findings: Finding[] = [];
    const remedy: Remedy = {
      title: 'write the rows again as Neutron orders them',
      risk: 'reversible',
      sufficient: true,
      steps: e.mends.map(({ title, argv }) => ({ ...ovnStep(maybe.databases, 'ovn-nbctl', argv), note: title })),
    };
    const add = (
      spec: FindingSpec,
      summary: string,
      lines: readonly string[],
      severity?: Finding['severity'],
    ): void => {
      findings.push(
        findingOf(spec, {
          summary,
          subject: `firewall of port ${shortId(port.id)}`,
          scope: portScope(subject),
          evidence: [showing(evidence, lines)],
          remedies: [remedy],
          verify: verifyWith('secgroup', subject),
          ...(severity === undefined ? {} : { severity }),
        }),
      );
    };
    const drops = e.extra.filter((x) => x.effect === 'drops');
    if (e.chainsMissing.length + e.missing.length + drops.length > 0) {
      const rules = e.missing.map((m) => `${nameOfRule(m.of.rule)} of ${m.of.group.name}`);
      const what =
        e.chainsMissing.length > 0
          ? `lacks ${e.chainsMissing.join(', ')}`
          : rules.length > 0
            ? `lacks the ACL of ${rules.slice(0, 3).join(', ')}${rules.length > 3 ? ` and ${rules.length - 3} more` : ''}`
            : `drops more than Neutron ordered: ${drops.map((x) => x.raw).join('; ')}`;
      add(notOnNode, `The Northbound ${what} for ${name}`, [
        ...e.chainsMissing.map((c) => `no ${c}`),
        ...e.missing.flatMap((m) => [
          `${m.where}: no ${m.expected.join(' / ')}`,
          ...m.instead.map((i) => `  but ${i}`),
        ]),
        ...drops.map((x) => `${x.where}: ${x.raw}`),
      ]);
    }
    const open = e.extra.filter((x) => x.effect === 'lets through');
    if (open.length > 0) {
      add(
        notOnNode,
        `The Northbound still lets through what the API no longer allows for ${name}`,
        open.slice(0, 4).map((x) => `${x.where}: ${x.raw}`),
        'warning',
      );
    }
    if (e.notEnforced.length > 0) {
      add(
        notEnforced,
        `${name} is let through as if its port security were off: the drop beneath its rules does not hold for it`,
        e.notEnforced.map((n) => ('raw' in n ? `${n.where}: ${n.raw}` : n.by)),
        'warning',
      );
    }
    const differences = [...compareStrangerGroups(port, name, view)];
    if (maybe.members.ok && maybe.sets.ok && isSecured(port)) {
      const members = new Map(
        [...maybe.members.value.value].map(([id, ports]) => [
          id,
          ports.flatMap((p) => p.fixed_ips.map((f) => f.ip_address)),
        ]),
      );
      differences.push(...compareAddressSets(name, groups, members, maybe.sets.value.value));
    }
    const all = [...facts.logical.evidence, ...(maybe.sets.ok ? maybe.sets.value.evidence : [])];
    findings.push(...findingsOf(subject, differences, all, maybe.databases, 'secgroup'));
    return judged(
      findings,
      isSecured(port) ? `${e.found.length} rules present as ACLs` : 'port security is off, and no ACL holds',
      facts.logical.evidence,
      ['security groups in the Northbound'],
    );
  },
});
