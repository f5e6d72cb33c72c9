import { blocked, defineCheck, judged, skipped } from '../../engine/check.ts';
import type { Evidence } from '../../engine/evidence.ts';
import type { FactFailure } from '../../engine/failure.ts';
import type { Finding } from '../../engine/finding.ts';
import { onHost } from '../../engine/finding-of.ts';
import { type Io, showing } from '../../facts/io.ts';
import { routersOnHosts } from '../../facts/router.ts';
import type { PortSubject } from '../../facts/subject.ts';
import { forwardingOff } from './codes.ts';
import { noneStands, routerFinding, standing } from './judge-router.ts';

const needs = { routers: routersOnHosts };
const key = 'net.ipv4.ip_forward';

export default defineCheck<Io, PortSubject, typeof needs>({
  id: 'router.forwarding',
  per: 'port',
  title: 'The router forwards',
  families: ['agents', 'routed'],
  needs,
  findings: [forwardingOff],
  judge: ({ subject, facts }) => {
    const routers = standing(facts.routers.value);
    if (routers.length === 0) return skipped(noneStands);
    const findings: Finding[] = [];
    const seen: Evidence[] = [];
    let blind: FactFailure | undefined;
    for (const router of routers) {
      const { sysctl, host, netns } = router;
      if (sysctl === undefined || host === undefined) continue;
      if (!sysctl.ok) {
        blind ??= sysctl.error;
        continue;
      }
      const [evidence] = sysctl.value.evidence;
      if (evidence === undefined) continue;
      if (sysctl.value.value[key] !== '0') {
        seen.push(showing(evidence, `${key} = ${sysctl.value.value[key] ?? '?'}`));
        continue;
      }
      findings.push(
        routerFinding(subject, router, forwardingOff, {
          summary: `Router ${router.serving.router.name} on ${host} does not forward: ${key} is 0 in ${netns}`,
          evidence,
          line: `${key} = 0`,
          remedy: {
            title: 'let it forward',
            risk: 'none',
            sufficient: true,
            steps: [onHost(host, ['ip', 'netns', 'exec', netns, 'sysctl', '-w', `${key}=1`])],
          },
        }),
      );
    }
    if (findings.length === 0 && blind !== undefined) return blocked(blind);
    return judged(findings, 'forwards', seen, ['forwarding']);
  },
});
