import { blocked, defineCheck, judged, passed, skipped } from '../../engine/check.ts';
import type { Finding } from '../../engine/finding.ts';
import { byOperator, onHost } from '../../engine/finding-of.ts';
import { hostNamespaces } from '../../facts/host.ts';
import { type Io, showing } from '../../facts/io.ts';
import { chassisMetadata, novaBehindChassis } from '../../facts/ovn/metadata.ts';
import { onComputeHost } from '../../facts/placement.ts';
import { portSubnets } from '../../facts/port-api.ts';
import type { PortSubject } from '../../facts/subject.ts';
import { metadataPort } from '../../path/ovn/metadata-port.ts';
import { agentSilent, novaFails, portUnknown, proxyDead, proxyMisnames, secretRefused } from '../metadata/codes.ts';
import { configDrive, judgeProxy, metadataFinding, restarting } from '../metadata/judge-proxy.ts';
import { ownerName } from '../scope.ts';
import { metadataUnplugged, namespaceMissing } from './codes.ts';

const needs = { metadata: chassisMetadata };
const optional = {
  configDrive,
  nova: novaBehindChassis,
  namespaces: onComputeHost(hostNamespaces),
  subnets: portSubnets,
};

const agent = 'neutron-ovn-metadata-agent';
const wellKnown = '169.254.169.254';

export default defineCheck<Io, PortSubject, typeof needs, typeof optional>({
  id: 'ovn.metadata',
  per: 'port',
  title: "Metadata is served on the instance's own chassis: namespace, proxy, agent and Nova",
  families: ['ovn'],
  needs,
  optional,
  findings: [
    namespaceMissing,
    metadataUnplugged,
    proxyDead,
    proxyMisnames,
    agentSilent,
    secretRefused,
    novaFails,
    portUnknown,
  ],
  judge: ({ subject, facts, maybe }) => {
    const { path, portId, portAddresses, tap, inside, integrationBridge } = facts.metadata.value;
    const [api] = facts.metadata.evidence;
    if (maybe.subnets.ok && !maybe.subnets.value.value.some((s) => s.enable_dhcp && s.ip_version === 4))
      return skipped('no IPv4 subnet of the network has DHCP: OVN serves metadata only where it does');
    const { host, netns } = path;
    const findings: Finding[] = [];
    const restart = restarting(host, agent);
    if (portId === undefined && api !== undefined) {
      findings.push(
        metadataFinding(
          subject,
          namespaceMissing,
          path,
          `The network of ${ownerName(subject)} has no metadata port in Neutron`,
          agent,
          [showing(api, 'no port of network:distributed')],
          {
            title: 'let Neutron make it: DHCP off and on makes the port anew',
            risk: 'brief-interruption',
            sufficient: false,
            steps: (maybe.subnets.ok ? maybe.subnets.value.value : []).flatMap((s) => [
              byOperator(['openstack', 'subnet', 'set', '--no-dhcp', s.id]),
              byOperator(['openstack', 'subnet', 'set', '--dhcp', s.id]),
            ]),
          },
        ),
      );
    }
    const [list] = maybe.namespaces.ok ? maybe.namespaces.value.evidence : [];
    if (!path.namespaceExists) {
      if (list !== undefined && findings.length === 0) {
        findings.push(
          metadataFinding(
            subject,
            namespaceMissing,
            path,
            `${host} has no namespace ${netns}: nothing serves metadata to ${ownerName(subject)}`,
            agent,
            [showing(list, `no ${netns}`)],
            {
              ...restart,
              title: `take away what is left of it, and ${restart.title}`,
              // A switch in user space keeps the device that went with the namespace, and takes the new one of that name for it.
              steps: [
                onHost(host, [
                  'ovs-vsctl',
                  '--if-exists',
                  'del-port',
                  integrationBridge,
                  metadataPort(subject.port.value.network_id).outside,
                ]),
                ...restart.steps,
              ],
            },
          ),
        );
      }
    } else {
      if (tap !== undefined && (tap.bridge !== integrationBridge || tap.ifaceId !== portId) && portId !== undefined) {
        const what =
          tap.bridge !== integrationBridge
            ? `${tap.name}, the end of ${netns} on ${host}, is ${tap.bridge === undefined ? 'in no bridge' : `in ${tap.bridge} instead of ${integrationBridge}`}`
            : `${tap.name} on ${host} stands for port ${tap.ifaceId ?? '(none)'} instead of the metadata port ${portId}`;
        findings.push(
          metadataFinding(
            subject,
            metadataUnplugged,
            path,
            what,
            agent,
            [showing(tap.evidence, `${tap.name}: bridge ${tap.bridge ?? 'none'}, iface-id ${tap.ifaceId ?? 'none'}`)],
            restart,
          ),
        );
      }
      const held = new Set(inside?.addresses.map((a) => a.address));
      const lacking = [wellKnown, ...portAddresses.filter((a) => !a.includes(':'))].filter((a) => !held.has(a));
      if (inside !== undefined && lacking.length > 0) {
        findings.push(
          metadataFinding(
            subject,
            metadataUnplugged,
            path,
            `${netns} on ${host} lacks ${lacking.join(' and ')}`,
            agent,
            [
              showing(
                inside.evidence,
                inside.addresses
                  .filter((a) => a.dev !== 'lo')
                  .map((a) => `${a.dev} ${a.address}/${a.prefix}`)
                  .join('\n') || 'no address',
              ),
            ],
            restart,
          ),
        );
      }
      const found = judgeProxy(subject, path, maybe.nova.ok ? maybe.nova.value.value : undefined);
      if (found !== undefined) findings.push(found);
      if (findings.length === 0 && !path.agentAnswer.ok) return blocked(path.agentAnswer.error);
    }
    if (findings.length > 0 && maybe.configDrive.ok && maybe.configDrive.value.value) {
      return passed(
        'the instance has a config drive; the metadata service is not what it boots from',
        facts.metadata.evidence,
      );
    }
    const answer = path.agentAnswer.ok ? path.agentAnswer.value.value : undefined;
    return judged(
      findings,
      `proxy, agent and nova answer on ${host}${answer?.kind === 'http' ? ` (${answer.status})` : ''}`,
      facts.metadata.evidence,
      ['metadata service'],
    );
  },
});
