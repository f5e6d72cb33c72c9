import { blocked, defineCheck, judged, notSeen } from '../../engine/check.ts';
import type { Finding } from '../../engine/finding.ts';
import { advice, byOperator, findingOf, onHost } from '../../engine/finding-of.ts';
import { asked } from '../../facts/asked.ts';
import { type Io, showing } from '../../facts/io.ts';
import { outside } from '../../facts/outside.ts';
import { pingsOfGateway } from '../../facts/ping.ts';
import { remoteMembers, securityGroups, servingRouters } from '../../facts/port-api.ts';
import type { PortSubject } from '../../facts/subject.ts';
import { familyOf } from '../../path/addresses.ts';
import type { Probe } from '../../path/secgroup/model.ts';
import { remedyEgress } from '../../path/secgroup/remedies.ts';
import { explainVerdict, nameOfProbe } from '../../path/secgroup/words.ts';
import { expected } from '../expected.ts';
import { ownerName, portScope } from '../scope.ts';
import { deniedOut } from '../secgroup/codes.ts';
import { outsideSilent } from './codes.ts';
import { verifyPair } from './verify.ts';

const needs = { asked };
const optional = {
  outside,
  groups: securityGroups,
  members: remoteMembers,
  routers: servingRouters,
  gateway: pingsOfGateway,
};

export default defineCheck<Io, PortSubject, typeof needs, typeof optional>({
  id: 'peer.outside',
  per: 'port',
  title: 'The instance may send to the address outside, and its router reaches it',
  needs,
  optional,
  findings: [deniedOut, outsideSilent],
  judge: ({ subject, facts, maybe }) => {
    if (!maybe.outside.ok) return notSeen(maybe.outside.error);
    const { address, pings, connects, notSent } = maybe.outside.value.value;
    const verify = verifyPair(subject, address);
    const family = familyOf(address) ?? 4;
    const findings: Finding[] = [];
    const notes: string[] = [];
    if (maybe.groups.ok) {
      const groups = maybe.groups.value.value;
      const members = maybe.members.ok ? maybe.members.value.value : undefined;
      const { probes, explicit } = facts.asked.value;
      const out = probes.map(
        (p): Probe => ({
          protocol: p.protocol,
          family,
          direction: 'egress',
          remote: address,
          ...(p.port === undefined ? {} : { port: p.port }),
          ...(p.protocol === 'icmp' ? { icmpType: family === 4 ? 8 : 128 } : {}),
        }),
      );
      const verdicts = out.map((probe) => ({
        probe,
        verdict: expected(subject.port.value, groups, members, probe),
      }));
      const shut = verdicts.filter((v) => v.verdict.kind === 'denied');
      const [evidence = subject.port.evidence[0]] = maybe.groups.value.evidence;
      const [group] = groups;
      if (evidence !== undefined && shut.length > 0 && (explicit || shut.length === verdicts.length)) {
        const names = groups.map((g) => g.name).join(', ') || '(none)';
        findings.push(
          findingOf(deniedOut, {
            summary: `No rule of ${ownerName(subject)}'s security groups (${names}) lets ${shut.map((s) => nameOfProbe(s.probe)).join(' or ')} out to ${address}`,
            subject: `security groups ${names} of ${ownerName(subject)}`,
            severity: 'error',
            scope: portScope(subject),
            evidence: [
              showing(
                evidence,
                shut.map((s) => explainVerdict(s.verdict, s.probe)),
              ),
            ],
            remedies:
              group === undefined
                ? []
                : [
                    {
                      title: 'let it send there',
                      risk: 'none',
                      sufficient: true,
                      steps: [byOperator(remedyEgress(family, group, address))],
                    },
                  ],
            verify,
          }),
        );
      } else notes.push(`the security groups let it send to ${address}`);
    }
    const routers = maybe.routers.ok ? maybe.routers.value.value : [];
    if (!routers.some((r) => r.router.external_gateway_info)) notes.push('no router of its network leads outside');
    const gateways = maybe.gateway.ok ? maybe.gateway.value.value.runs : [];
    for (const run of pings) {
      const router = routers.find((r) => r.router.id === run.routerId)?.router.name ?? 'its router';
      const open = connects.filter((c) => c.routerId === run.routerId && c.ending === 'open');
      if (run.ping.received > 0 || open.length > 0) {
        notes.push(
          `${router}→${address} ${run.ping.received}/${run.ping.sent}${open.map((c) => `, tcp/${c.port} open`).join('')}`,
        );
        continue;
      }
      const gateway = gateways.find((g) => g.routerId === run.routerId && g.ping.received > 0);
      if (gateway === undefined) {
        notes.push(`${router}→${address} no answer, nor from the external gateway`);
        continue;
      }
      findings.push(
        findingOf(outsideSilent, {
          summary: `${address} does not answer ${router} on ${run.host}, though the external gateway ${gateway.to} does: the packets leave the cloud`,
          subject: `outside ${address}`,
          confidence: 'possible',
          scope: portScope(subject, { host: [run.host], router: run.routerId === undefined ? [] : [run.routerId] }),
          evidence: [run.evidence, gateway.evidence, ...connects.map((c) => c.evidence)],
          remedies: [
            {
              title: 'see how far it gets',
              risk: 'none',
              sufficient: false,
              steps: [
                onHost(run.host, ['ip', 'netns', 'exec', run.netns ?? '', 'ip', 'route', 'get', address]),
                advice('it may simply answer no pings: name a port that it serves, --probe tcp/443'),
              ],
            },
          ],
          verify,
        }),
      );
    }
    const [lost] = notSent;
    if (findings.length === 0 && pings.length === 0 && lost !== undefined && lost.failure.kind !== 'not-found')
      return blocked(lost.failure);
    const reached = pings.some((p) => p.ping.received > 0);
    return judged(
      findings,
      notes.join(' · '),
      maybe.outside.value.evidence,
      reached ? ['way to the address outside'] : [],
    );
  },
});
