import { blocked, defineCheck, judged, passed, skipped } from '../../engine/check.ts';
import type { Evidence } from '../../engine/evidence.ts';
import type { FactFailure } from '../../engine/failure.ts';
import type { Finding, FindingSpec, Remedy } from '../../engine/finding.ts';
import { advice, findingOf, onHost, restartOf } from '../../engine/finding-of.ts';
import { stoppedOf } from '../../facts/controllers.ts';
import { server } from '../../facts/instance-api.ts';
import { type Io, showing, source } from '../../facts/io.ts';
import { type MetadataPath, metadataPaths, novaSide } from '../../facts/metadata.ts';
import { routersOnHosts } from '../../facts/router.ts';
import type { PortSubject } from '../../facts/subject.ts';
import { iptablesRules } from '../../nodes/parse/iptables.ts';
import { agentName, ownerName, portScope, verifyWith } from '../scope.ts';
import {
  agentSilent,
  novaFails,
  portUnknown,
  proxyDead,
  proxyMisnames,
  redirectMissing,
  secretRefused,
} from './codes.ts';

const configDrive = source<PortSubject, boolean>(
  'port.config-drive',
  (s) => s.id,
  async (subject, facts) => {
    if (subject.instance === undefined) return { ok: true, value: { value: false, evidence: [] } };
    const found = await facts.get(server, subject.instance);
    return found.ok
      ? { ok: true, value: { value: found.value.value.config_drive === 'True', evidence: found.value.evidence } }
      : found;
  },
);

const needs = { paths: metadataPaths };
const optional = { configDrive, routers: routersOnHosts, nova: novaSide };

const metadataAgent = 'neutron-metadata-agent';

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
      const found = judgePath(path);
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
            make(
              redirectMissing,
              path,
              `Router ${router.serving.router.name} on ${path.host} does not redirect metadata requests to its proxy`,
              'neutron-l3-agent',
              [showing(evidence, 'no REDIRECT of 169.254.169.254/32 tcp 80 in nat')],
              restart(path.host, 'neutron-l3-agent'),
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

    function make(
      spec: FindingSpec,
      path: MetadataPath,
      summary: string,
      agent: string,
      evidence: readonly [Evidence, ...Evidence[]],
      remedy: Remedy,
    ): Finding {
      return findingOf(spec, {
        summary,
        subject: `metadata@${path.host}`,
        scope: portScope(subject, {
          host: [path.host],
          agent: [agentName(agent, path.host)],
          ...(path.by === 'router' ? { router: [path.owner] } : {}),
        }),
        evidence,
        remedies: [remedy],
        verify: verifyWith('metadata', subject),
      });
    }

    function restart(host: string, unit: string): Remedy {
      return {
        title: `restart ${unit}`,
        risk: 'none',
        sufficient: true,
        steps: [restartOf(host, unit)],
      };
    }

    /** In the order a request travels: proxy, agent, Nova. */
    function judgePath(path: MetadataPath): Finding | undefined {
      const { listens, agentAnswer, host } = path;
      const keeper = path.by === 'router' ? 'neutron-l3-agent' : 'neutron-dhcp-agent';
      const both: Evidence[] = [
        ...(listens.ok
          ? listens.value.evidence.map((e) =>
              showing(e, listens.value.value ? 'the proxy listens' : 'nothing listens at the port of the proxy'),
            )
          : []),
        ...(agentAnswer.ok ? agentAnswer.value.evidence : []),
      ];
      const [first, ...rest] = both;
      if (first === undefined) return undefined;
      const seen: readonly [Evidence, ...Evidence[]] = [first, ...rest];
      if (listens.ok && !listens.value.value) {
        return make(
          proxyDead,
          path,
          `No metadata proxy listens in ${path.netns} on ${host}`,
          keeper,
          seen,
          restart(host, keeper),
        );
      }
      const stray = path.named.ok ? path.named.value.value.find((id) => id !== path.owner) : undefined;
      const [conf] = path.named.ok ? path.named.value.evidence : [];
      if (stray !== undefined && conf !== undefined) {
        return make(
          proxyMisnames,
          path,
          `The metadata proxy in ${path.netns} on ${host} passes requests on in the name of ${stray} instead of ${path.owner}`,
          keeper,
          [showing(conf, `X-Neutron-…-ID ${stray}; expected ${path.owner}`)],
          {
            title: 'end the proxy, and let its agent make it again',
            risk: 'none',
            sufficient: true,
            steps: [
              ...(path.proxy === undefined ? [] : [onHost(host, ['kill', String(path.proxy.pid)])]),
              restartOf(host, keeper),
            ],
          },
        );
      }
      if (!agentAnswer.ok) return undefined;
      const answer = agentAnswer.value.value;
      switch (answer.kind) {
        case 'refused':
        case 'silent':
        case 'error':
          return make(
            agentSilent,
            path,
            `The metadata agent on ${host} does not answer at its socket${answer.kind === 'error' ? ` (${answer.detail})` : ''}`,
            metadataAgent,
            seen,
            restart(host, metadataAgent),
          );
        case 'http':
          break;
      }
      switch (answer.status) {
        case 200:
          return undefined;
        case 403:
          return make(
            secretRefused,
            path,
            `Nova refuses the signature of the metadata agent on ${host}: the shared secrets differ`,
            metadataAgent,
            seen,
            {
              title: "make the agent's secret the same as Nova's",
              risk: 'none',
              sufficient: false,
              steps: [
                advice(
                  'compare [neutron] metadata_proxy_shared_secret in nova.conf of the API hosts with [DEFAULT] metadata_proxy_shared_secret in metadata_agent.ini',
                  host,
                ),
                restartOf(host, metadataAgent, 'after the secret was set'),
              ],
            },
          );
        case 404:
          return make(
            portUnknown,
            path,
            `The metadata agent on ${host} finds no port for ${ownerName(subject)}`,
            metadataAgent,
            seen,
            restart(host, metadataAgent),
          );
        default: {
          const down = controllers === undefined ? [] : stoppedOf(controllers, 'nova-api-metadata');
          const [one] = down;
          if (one !== undefined) {
            return make(
              novaFails,
              path,
              `${one.state.unit} on ${down.map((d) => d.host).join(', ')} is ${one.state.state}: the metadata agent on ${host} gets HTTP ${answer.status} for ${ownerName(subject)}`,
              metadataAgent,
              [...down.map((d) => showing(d.evidence, `${d.state.unit}: ${d.state.detail}`)), ...seen] as [
                Evidence,
                ...Evidence[],
              ],
              {
                title: 'start it',
                risk: 'none',
                sufficient: true,
                steps: down.map((d) => onHost(d.host, d.restart)),
              },
            );
          }
          return make(
            novaFails,
            path,
            `The metadata agent on ${host} gets no metadata for ${ownerName(subject)}: HTTP ${answer.status}`,
            metadataAgent,
            seen,
            {
              title: 'find out why Nova does not serve it',
              risk: 'none',
              sufficient: false,
              steps: [
                advice(
                  "look at nova-api-metadata and at nova_metadata_host in metadata_agent.ini; the agent's log names the request",
                  host,
                ),
              ],
            },
          );
        }
      }
    }
  },
});
