import type { Evidence } from '../../engine/evidence.ts';
import type { Finding, FindingSpec, Remedy } from '../../engine/finding.ts';
import { advice, findingOf, onHost, restartOf } from '../../engine/finding-of.ts';
import { type Controllers, stoppedOf } from '../../facts/controllers.ts';
import { server } from '../../facts/instance-api.ts';
import { showing, source } from '../../facts/io.ts';
import type { MetadataPath } from '../../facts/metadata.ts';
import type { PortSubject } from '../../facts/subject.ts';
import { agentName, ownerName, portScope, verifyWith } from '../scope.ts';
import { agentSilent, novaFails, portUnknown, proxyDead, proxyMisnames, secretRefused } from './codes.ts';

/** Whether the instance gets its metadata from a drive of its own. */
export const configDrive = source<PortSubject, boolean>(
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

/** Who keeps each kind of proxy, who answers behind it, and the file with the secret of the latter. */
const makers: Readonly<Record<MetadataPath['by'], { keeper: string; agent: string; file: string }>> = {
  router: { keeper: 'neutron-l3-agent', agent: 'neutron-metadata-agent', file: 'metadata_agent.ini' },
  dhcp: { keeper: 'neutron-dhcp-agent', agent: 'neutron-metadata-agent', file: 'metadata_agent.ini' },
  chassis: {
    keeper: 'neutron-ovn-metadata-agent',
    agent: 'neutron-ovn-metadata-agent',
    file: 'neutron_ovn_metadata_agent.ini',
  },
};

export function metadataFinding(
  subject: PortSubject,
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

export const restarting = (host: string, unit: string): Remedy => ({
  title: `restart ${unit}`,
  risk: 'none',
  sufficient: true,
  steps: [restartOf(host, unit)],
});

/** In the order a request travels: proxy, agent, Nova. */
export function judgeProxy(
  subject: PortSubject,
  path: MetadataPath,
  controllers: Controllers | undefined,
): Finding | undefined {
  const { listens, agentAnswer, host } = path;
  const { keeper, agent, file } = makers[path.by];
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
    return metadataFinding(
      subject,
      proxyDead,
      path,
      `No metadata proxy listens in ${path.netns} on ${host}`,
      keeper,
      seen,
      restarting(host, keeper),
    );
  }
  const stray = path.named.ok ? path.named.value.value.find((id) => id !== path.owner) : undefined;
  const [conf] = path.named.ok ? path.named.value.evidence : [];
  if (stray !== undefined && conf !== undefined) {
    return metadataFinding(
      subject,
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
      return metadataFinding(
        subject,
        agentSilent,
        path,
        `The metadata agent on ${host} does not answer at its socket${answer.kind === 'error' ? ` (${answer.detail})` : ''}`,
        agent,
        seen,
        restarting(host, agent),
      );
    case 'http':
      break;
  }
  switch (answer.status) {
    case 200:
      return undefined;
    case 403:
      return metadataFinding(
        subject,
        secretRefused,
        path,
        `Nova refuses the signature of the metadata agent on ${host}: the shared secrets differ`,
        agent,
        seen,
        {
          title: "make the agent's secret the same as Nova's",
          risk: 'none',
          sufficient: false,
          steps: [
            advice(
              `compare [neutron] metadata_proxy_shared_secret in nova.conf of the API hosts with [DEFAULT] metadata_proxy_shared_secret in ${file}`,
              host,
            ),
            restartOf(host, agent, 'after the secret was set'),
          ],
        },
      );
    case 404:
      return metadataFinding(
        subject,
        portUnknown,
        path,
        `The metadata agent on ${host} finds no port for ${ownerName(subject)}`,
        agent,
        seen,
        restarting(host, agent),
      );
    default: {
      const down = controllers === undefined ? [] : stoppedOf(controllers, 'nova-api-metadata');
      const [one] = down;
      if (one !== undefined) {
        return metadataFinding(
          subject,
          novaFails,
          path,
          `${one.state.unit} on ${down.map((d) => d.host).join(', ')} is ${one.state.state}: the metadata agent on ${host} gets HTTP ${answer.status} for ${ownerName(subject)}`,
          agent,
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
      return metadataFinding(
        subject,
        novaFails,
        path,
        `The metadata agent on ${host} gets no metadata for ${ownerName(subject)}: HTTP ${answer.status}`,
        agent,
        seen,
        {
          title: 'find out why Nova does not serve it',
          risk: 'none',
          sufficient: false,
          steps: [
            advice(
              `look at nova-api-metadata and at nova_metadata_host in ${file}; the agent's log names the request`,
              host,
            ),
          ],
        },
      );
    }
  }
}
