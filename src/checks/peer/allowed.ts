import { defineCheck, judged, notSeen, passed, skipped } from '../../engine/check.ts';
import type { Evidence } from '../../engine/evidence.ts';
import type { Finding } from '../../engine/finding.ts';
import { byOperator, findingOf } from '../../engine/finding-of.ts';
import { asked } from '../../facts/asked.ts';
import { type Io, type ProbeOption, showing } from '../../facts/io.ts';
import { ofPeer, pairs } from '../../facts/pair.ts';
import { remoteMembers, securityGroups } from '../../facts/port-api.ts';
import type { ApiSecurityGroup } from '../../facts/schemas/network.ts';
import type { PortSubject } from '../../facts/subject.ts';
import { familyOf } from '../../path/addresses.ts';
import type { Probe } from '../../path/secgroup/model.ts';
import { remedyEgress, remedyRule } from '../../path/secgroup/remedies.ts';
import { explainVerdict, nameOfProbe } from '../../path/secgroup/words.ts';
import { expected } from '../expected.ts';
import { ownerName, portScope } from '../scope.ts';
import { denied, deniedOut } from '../secgroup/codes.ts';
import { typeable, verifyPair } from './verify.ts';

const needs = { asked };
const optional = {
  pair: pairs,
  groups: securityGroups,
  members: remoteMembers,
  peerGroups: ofPeer(securityGroups),
  peerMembers: ofPeer(remoteMembers),
};

/** Traffic worth asking about between two instances: what was asked about, and whatever the peer's rules let in. */
function trafficOf(
  probes: readonly ProbeOption[],
  explicit: boolean,
  groups: readonly ApiSecurityGroup[],
): ProbeOption[] {
  const found = new Map<string, ProbeOption>(probes.map((p) => [`${p.protocol}/${p.port ?? ''}`, p]));
  if (explicit) return [...found.values()];
  for (const rule of groups.flatMap((g) => g.security_group_rules)) {
    const { protocol, port_range_min: port } = rule;
    if (rule.direction !== 'ingress' || (protocol !== 'tcp' && protocol !== 'udp')) continue;
    const wanted: ProbeOption = { protocol, port: port ?? (protocol === 'tcp' ? 22 : 53) };
    found.set(`${wanted.protocol}/${wanted.port}`, wanted);
  }
  return [...found.values()];
}

export default defineCheck<Io, PortSubject, typeof needs, typeof optional>({
  id: 'peer.allowed',
  per: 'port',
  title: 'The security groups of both let traffic from one to the other',
  needs,
  optional,
  findings: [denied, deniedOut],
  judge: ({ subject, facts, maybe }) => {
    for (const fact of [maybe.pair, maybe.groups, maybe.peerGroups]) {
      if (!fact.ok) return notSeen(fact.error);
    }
    if (!maybe.pair.ok || !maybe.groups.ok || !maybe.peerGroups.ok) return skipped('no peer');
    const { peer, name, own, theirs, way } = maybe.pair.value.value;
    const [mine, other] = [maybe.groups.value.value, maybe.peerGroups.value.value];
    const evidenceOf = (list: readonly Evidence[], port: PortSubject): Evidence => {
      const [first = port.port.evidence[0]] = list;
      if (first === undefined) throw new Error('security groups without evidence');
      return first;
    };
    const family = familyOf(theirs) ?? 4;
    const { probes, explicit } = facts.asked.value;
    const members = maybe.members.ok ? maybe.members.value.value : undefined;
    const peerMembers = maybe.peerMembers.ok ? maybe.peerMembers.value.value : undefined;
    // Behind a floating address the peer sees whatever the router makes of the source.
    const seenAs = way.kind === 'floating' ? {} : { remote: own };
    const judgedTraffic = trafficOf(probes, explicit, other).map((p) => {
      const base = {
        protocol: p.protocol,
        family,
        ...(p.port === undefined ? {} : { port: p.port }),
        ...(p.protocol === 'icmp' ? { icmpType: family === 4 ? 8 : 128 } : {}),
      };
      const out: Probe = { ...base, direction: 'egress', remote: theirs };
      const into: Probe = { ...base, direction: 'ingress', ...seenAs };
      return {
        out,
        into,
        letOut: expected(subject.port.value, mine, members, out),
        letIn: expected(peer.port.value, other, peerMembers, into),
      };
    });
    const passes = judgedTraffic.filter((t) => t.letOut.kind !== 'denied' && t.letIn.kind !== 'denied');
    const evidence = [
      showing(
        evidenceOf(maybe.groups.value.evidence, subject),
        judgedTraffic.map((t) => explainVerdict(t.letOut, t.out)),
      ),
      showing(
        evidenceOf(maybe.peerGroups.value.evidence, peer),
        judgedTraffic.map((t) => explainVerdict(t.letIn, t.into)),
      ),
    ] as const;
    const stopped = judgedTraffic.filter((t) => !passes.includes(t));
    if (explicit ? stopped.length === 0 : passes.length > 0) {
      const said = passes.map((t) => nameOfProbe(t.into)).slice(0, 4);
      return passed(`${said.join(', ')} let out to ${theirs} and let in by ${name}`, evidence, [
        'security groups of both',
      ]);
    }
    const findings: Finding[] = [];
    const scope = { ...portScope(subject), port: [subject.id, peer.id] };
    const verify = verifyPair(subject, typeable(name, peer.id));
    const shutIn = stopped.filter((t) => t.letIn.kind === 'denied');
    const shutOut = stopped.filter((t) => t.letOut.kind === 'denied');
    const listed = (list: readonly { into: Probe }[]): string =>
      [...new Set(list.map((t) => nameOfProbe(t.into)))].slice(0, 4).join(', ');
    const namesOf = (groups: readonly ApiSecurityGroup[]): string => groups.map((g) => g.name).join(', ') || '(none)';
    if (shutOut.length > 0) {
      const [group] = mine;
      findings.push(
        findingOf(deniedOut, {
          summary: `No rule of ${ownerName(subject)}'s security groups (${namesOf(mine)}) lets it send to ${name} (${theirs}): ${listed(shutOut)}`,
          subject: `security groups ${namesOf(mine)} of ${ownerName(subject)}`,
          severity: 'error',
          scope,
          evidence: [
            showing(
              evidence[0],
              shutOut.map((t) => explainVerdict(t.letOut, t.out)),
            ),
          ],
          remedies:
            group === undefined
              ? []
              : [
                  {
                    title: 'let it send to the peer',
                    risk: 'none',
                    sufficient: shutIn.length === 0,
                    steps: [byOperator(remedyEgress(family, group, theirs))],
                  },
                ],
          verify,
        }),
      );
    }
    if (shutIn.length > 0) {
      const [group] = other;
      findings.push(
        findingOf(denied, {
          summary: `No rule of ${name}'s security groups (${namesOf(other)}) lets ${listed(shutIn)} in from ${ownerName(subject)} (${own})`,
          subject: `security groups ${namesOf(other)} of ${name}`,
          scope,
          evidence: [
            showing(
              evidence[1],
              shutIn.map((t) => explainVerdict(t.letIn, t.into)),
            ),
          ],
          remedies:
            group === undefined
              ? [
                  {
                    title: 'give the port of the peer a security group',
                    risk: 'none',
                    sufficient: false,
                    steps: [byOperator(['openstack', 'port', 'set', '--security-group', 'GROUP', peer.id])],
                  },
                ]
              : [
                  {
                    title: 'add a rule for what is wanted',
                    risk: 'none',
                    sufficient: shutOut.length === 0,
                    steps: shutIn.map((t) => byOperator(remedyRule(t.into, { id: group.id }))),
                  },
                ],
          verify,
        }),
      );
    }
    return judged(findings, '', evidence);
  },
});
