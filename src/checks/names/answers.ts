import { blocked, defineCheck, judged, notSeen, skipped } from '../../engine/check.ts';
import type { Finding } from '../../engine/finding.ts';
import { byOperator, findingOf } from '../../engine/finding-of.ts';
import { type Io, showing } from '../../facts/io.ts';
import { nameService } from '../../facts/names.ts';
import { pingsOfGateway } from '../../facts/ping.ts';
import { portSubnets, remoteMembers, securityGroups } from '../../facts/port-api.ts';
import type { PortSubject } from '../../facts/subject.ts';
import { familyOf } from '../../path/addresses.ts';
import type { Probe } from '../../path/secgroup/model.ts';
import { remedyRule } from '../../path/secgroup/remedies.ts';
import { explainVerdict } from '../../path/secgroup/words.ts';
import { expected } from '../expected.ts';
import { ownerName, portScope, verifyWith } from '../scope.ts';
import { deniedOut } from '../secgroup/codes.ts';
import { noAnswer } from './codes.ts';

const needs = { subnets: portSubnets };
const optional = { service: nameService, groups: securityGroups, members: remoteMembers, gateway: pingsOfGateway };

export default defineCheck<Io, PortSubject, typeof needs, typeof optional>({
  id: 'names.answers',
  per: 'port',
  title: 'The name servers of the subnet answer, and the instance may ask them',
  families: ['agents', 'routed'],
  needs,
  optional,
  findings: [noAnswer, deniedOut],
  judge: ({ subject, facts, maybe }) => {
    if (!maybe.service.ok) return notSeen(maybe.service.error);
    const { questions, notAsked } = maybe.service.value.value;
    const [lost] = notAsked;
    if (questions.length === 0)
      return lost === undefined || lost.kind === 'not-found' ? skipped('no namespace to ask from') : blocked(lost);
    const servers = [...new Set(questions.map((q) => q.server))];
    const dead = servers.filter((s) => questions.every((q) => q.server !== s || q.answer !== 'answered'));
    const cutOff = new Set(
      (maybe.gateway.ok ? maybe.gateway.value.value.runs : [])
        .filter((run) => run.ping.received === 0)
        .flatMap((run) => run.routerId ?? []),
    );
    const findings: Finding[] = [];
    const notes = servers.filter((s) => !dead.includes(s)).map((s) => `${s} answers`);
    const verify = `${verifyWith('net', subject)} --symptom no-names`;
    const own = new Set(subject.port.value.fixed_ips.map((f) => f.subnet_id));
    for (const server of dead) {
      const mine = questions.filter((q) => q.server === server);
      const [first] = mine;
      if (first === undefined) continue;
      // Behind a gateway that does not answer either, the gateway is what is told.
      if (mine.every((q) => cutOff.has(q.routerId ?? ''))) {
        notes.push(`${server} not judged: the router reaches no gateway`);
        continue;
      }
      const subnet = facts.subnets.value.find((s) => own.has(s.id) && (s.dns_nameservers ?? []).includes(server));
      findings.push(
        findingOf(noAnswer, {
          summary: `${first.named ? 'The name server' : "The network's own name server"} ${server} that ${ownerName(subject)} is given ${first.answer === 'refused' ? 'refuses questions' : 'does not answer'}`,
          subject: `name server ${server}`,
          severity: dead.length < servers.length ? 'warning' : 'error',
          scope: portScope(subject, {
            host: [...new Set(mine.map((q) => q.host))],
            router: mine.flatMap((q) => q.routerId ?? []),
          }),
          evidence: [first.evidence, ...mine.slice(1).map((q) => q.evidence)],
          remedies: [
            {
              title: 'give the subnet a name server that answers',
              risk: 'reversible',
              sufficient: false,
              steps: [
                byOperator(
                  [
                    'openstack',
                    'subnet',
                    'set',
                    ...(first.named ? ['--no-dns-nameservers'] : []),
                    '--dns-nameserver',
                    'ADDRESS',
                    subnet?.id ?? [...own][0] ?? 'SUBNET',
                  ],
                  'guests learn of it with their next lease',
                ),
              ],
            },
          ],
          verify,
        }),
      );
    }
    if (maybe.groups.ok) {
      const groups = maybe.groups.value.value;
      const members = maybe.members.ok ? maybe.members.value.value : undefined;
      const shut = servers
        .map(
          (remote): Probe => ({
            protocol: 'udp',
            family: familyOf(remote) ?? 4,
            direction: 'egress',
            port: 53,
            remote,
          }),
        )
        .map((probe) => ({ probe, verdict: expected(subject.port.value, groups, members, probe) }))
        .filter((v) => v.verdict.kind === 'denied');
      const [evidence = subject.port.evidence[0]] = maybe.groups.value.evidence;
      const [group] = groups;
      if (evidence !== undefined && shut.length > 0 && shut.length === servers.length) {
        const names = groups.map((g) => g.name).join(', ') || '(none)';
        findings.push(
          findingOf(deniedOut, {
            summary: `No rule of ${ownerName(subject)}'s security groups (${names}) lets it ask its name servers ${servers.join(', ')} (udp/53)`,
            subject: `security groups ${names} of ${ownerName(subject)}`,
            severity: 'error',
            scope: portScope(subject),
            evidence: [
              showing(
                evidence,
                shut.map((v) => explainVerdict(v.verdict, v.probe)),
              ),
            ],
            remedies:
              group === undefined
                ? []
                : [
                    {
                      title: 'let it ask',
                      risk: 'none',
                      sufficient: dead.length === 0,
                      steps: shut.map((v) => byOperator(remedyRule(v.probe, group))),
                    },
                  ],
            verify,
          }),
        );
      }
    }
    return judged(findings, notes.join(', '), maybe.service.value.evidence, dead.length === 0 ? ['name servers'] : []);
  },
});
