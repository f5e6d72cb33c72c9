import { blocked, defineCheck, judged, passed, skipped } from '../../engine/check.ts';
import type { FactFailure } from '../../engine/failure.ts';
import type { Finding } from '../../engine/finding.ts';
import { type Io, showing } from '../../facts/io.ts';
import { metadataPaths, novaSide } from '../../facts/metadata.ts';
import { routersOnHosts } from '../../facts/router.ts';
import type { PortSubject } from '../../facts/subject.ts';
import { iptablesRules } from '../../nodes/parse/iptables.ts';
import {
  agentSilent,
  novaFails,
  portUnknown,
  proxyDead,
  proxyMisnames,
  redirectMissing,
  secretRefused,
} from './codes.ts';
import { configDrive, judgeProxy, metadataFinding, restarting } from './judge-proxy.ts';

const needs = { paths: metadataPaths };
const optional = { configDrive, routers: routersOnHosts, nova: novaSide };

export default defineCheck<Io, PortSubject, typeof needs, typeof optional>({
  id: 'metadata.served',
  per: 'port',
  title: 'Metadata is served: proxy, agent and Nova answer, the signature is accepted',
  families: ['agents', 'routed'],
  needs,
  optional,
  findings: [redirectMissing, proxyDead, proxyMisnames, agentSilent, secretRefused, novaFails, portUnknown],
  judge: ({ subject, facts, maybe }) => {
    const paths = facts.paths.value;
    const controllers = maybe.nova.ok ? maybe.nova.value.value : undefined;
    if (paths.length === 0) return skipped('neither a router nor a DHCP server could serve metadata to it');
    const findings: Finding[] = [];
    const notes: string[] = [];
    let blind: FactFailure | undefined;
    for (const path of paths) {
      if (!path.namespaceExists) {
        // The missing namespace is judged with the router or the DHCP server; there is nothing to ask here.
        notes.push(`no ${path.netns} on ${path.host}`);
        continue;
      }
      const found = judgeProxy(subject, path, controllers);
      if (found === undefined) {
        if (path.agentAnswer.ok && path.agentAnswer.value.value.kind === 'http')
          notes.push(`proxy, agent and nova answer on ${path.host} (${path.agentAnswer.value.value.status})`);
        else if (!path.agentAnswer.ok) blind ??= path.agentAnswer.error;
      } else findings.push(found);
      const router = maybe.routers.ok
        ? maybe.routers.value.value.find((r) => r.serving.router.id === path.owner)
        : undefined;
      if (path.by === 'router' && router?.iptables?.ok === true) {
        const rules = iptablesRules(router.iptables.value.value);
        const redirect = rules.some(
          (r) => r.table === 'nat' && r.target === 'REDIRECT' && r.destination?.startsWith('169.254.169.254') === true,
        );
        const [evidence] = router.iptables.value.evidence;
        if (!redirect && evidence !== undefined) {
          findings.push(
            metadataFinding(
              subject,
              redirectMissing,
              path,
              `Router ${router.serving.router.name} on ${path.host} does not redirect metadata requests to its proxy`,
              'neutron-l3-agent',
              [showing(evidence, 'no REDIRECT of 169.254.169.254/32 tcp 80 in nat')],
              restarting(path.host, 'neutron-l3-agent'),
            ),
          );
        }
      }
    }
    if (findings.length === 0 && blind !== undefined) return blocked(blind);
    if (findings.length > 0 && maybe.configDrive.ok && maybe.configDrive.value.value) {
      // A config drive gives the instance its metadata without any of this.
      return passed(
        'the instance has a config drive; the metadata service is not what it boots from',
        facts.paths.evidence,
      );
    }
    return judged(findings, notes.join('; '), facts.paths.evidence, ['metadata service']);
  },
});
