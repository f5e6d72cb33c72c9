import { blocked, defineCheck, judged, skipped } from '../../engine/check.ts';
import type { FactFailure } from '../../engine/failure.ts';
import type { Finding } from '../../engine/finding.ts';
import { byOperator } from '../../engine/finding-of.ts';
import type { Io } from '../../facts/io.ts';
import { everyAgent } from '../../facts/port-api.ts';
import { routersOnHosts } from '../../facts/router.ts';
import type { PortSubject } from '../../facts/subject.ts';
import { scheduling } from '../remedies.ts';
import { namespaceMissing, notScheduled, routerDown } from './codes.ts';
import { restartL3, routerFinding, shouldStand } from './judge-router.ts';

const needs = { routers: routersOnHosts };
const optional = { all: everyAgent };

export default defineCheck<Io, PortSubject, typeof needs, typeof optional>({
  id: 'router.placed',
  per: 'port',
  title: 'The router is up, scheduled, and stands on its host',
  families: ['agents', 'routed'],
  needs,
  optional,
  findings: [routerDown, notScheduled, namespaceMissing],
  judge: ({ subject, facts, maybe }) => {
    const routers = facts.routers.value;
    const every = maybe.all.ok ? maybe.all.value.value : [];
    if (routers.length === 0) return skipped('no router serves its subnets');
    const [evidence] = facts.routers.evidence;
    if (evidence === undefined) throw new Error('routers without evidence');
    const findings: Finding[] = [];
    let blind: FactFailure | undefined;
    for (const router of routers) {
      const { router: api, l3Agents } = router.serving;
      const apiEvidence =
        facts.routers.evidence.find((e) => e.source.kind === 'api' && e.source.path.includes(`/routers/${api.id}`)) ??
        evidence;
      if (!api.admin_state_up) {
        findings.push(
          routerFinding(subject, router, routerDown, {
            summary: `Router ${api.name} is administratively down`,
            evidence: apiEvidence,
            line: `admin_state_up false, status ${api.status}`,
            remedy: {
              title: 'set the router up',
              risk: 'none',
              sufficient: true,
              steps: [byOperator(['openstack', 'router', 'set', '--enable', api.id])],
            },
          }),
        );
        continue;
      }
      if (l3Agents.ok && l3Agents.value.value.length === 0 && api.distributed !== true) {
        findings.push(
          routerFinding(subject, router, notScheduled, {
            summary: `Router ${api.name} is on no L3 agent`,
            evidence: l3Agents.value.evidence[0] ?? apiEvidence,
            line: 'l3-agents []',
            remedy: scheduling('add it to an L3 agent that is alive', every, 'neutron-l3-agent', (id) => [
              'openstack',
              'network',
              'agent',
              'add',
              'router',
              '--l3',
              id,
              api.id,
            ]),
          }),
        );
        continue;
      }
      if (router.exists === undefined) continue;
      if (!router.exists.ok) {
        blind ??= router.exists.error;
        continue;
      }
      if (!router.exists.value.value && shouldStand(router) && router.host !== undefined) {
        findings.push(
          routerFinding(subject, router, namespaceMissing, {
            summary: `Namespace ${router.netns} of router ${api.name} is missing on ${router.host}`,
            subject: `namespace ${router.netns}@${router.host}`,
            evidence: router.exists.value.evidence[0] ?? apiEvidence,
            line: `no ${router.netns} in ip netns`,
            remedy: restartL3(router.host),
          }),
        );
      }
    }
    if (findings.length === 0 && blind !== undefined) return blocked(blind);
    const names = routers
      .map((r) => `${r.serving.router.name}${r.host === undefined ? '' : ` on ${r.host}`}`)
      .join(', ');
    return judged(findings, names, [evidence], ['router placement']);
  },
});
