import { defineCheck, judged, skipped } from '../../engine/check.ts';
import type { Evidence } from '../../engine/evidence.ts';
import type { Finding, FindingSpec } from '../../engine/finding.ts';
import { findingOf, restartOf } from '../../engine/finding-of.ts';
import { hostOvs } from '../../facts/host.ts';
import { type Io, showing } from '../../facts/io.ts';
import { onPathHosts, placement } from '../../facts/placement.ts';
import { servicePorts } from '../../facts/port-api.ts';
import type { PortSubject } from '../../facts/subject.ts';
import type { OvsPort } from '../../nodes/parse/ovsdb.ts';
import { agentName, ownerName, portScope, verifyWith } from '../scope.ts';
import { deadVlan, noOfport, wrongTag } from './codes.ts';

/** neutron/plugins/ml2/drivers/openvswitch/agent/common/constants.py DEAD_VLAN_TAG. */
const deadTag = 4095;

const needs = { placement, ovs: onPathHosts(hostOvs), service: servicePorts };

export default defineCheck<Io, PortSubject, typeof needs>({
  id: 'host.tag',
  per: 'port',
  title: 'The OVS ports of the path are open and carry the tag of their network',
  families: ['agents', 'routed'],
  needs,
  findings: [deadVlan, wrongTag, noOfport],
  judge: ({ subject, facts }) => {
    const { backend, bound, segment, host } = facts.placement.value;
    if (!backend.name.startsWith('ovs')) return skipped(`${backend.title}: no local VLANs`);
    const findings: Finding[] = [];
    const seen: string[] = [];
    const evidenceOfAll: Evidence[] = [];
    const places: { host: string; device: string; what: string }[] = [
      ...backend
        .attachment(bound, segment)
        .flatMap((d) => (d.in?.driver === 'ovs' ? [{ host, device: d.name, what: ownerName(subject) }] : [])),
      ...facts.service.value.flatMap((p) => {
        const at = p['binding:host_id'];
        const owner = p.device_owner === 'network:dhcp' ? 'dhcp' : 'router';
        return at
          ? backend
              .serviceAttachment(p.id, owner, segment)
              .map((d) => ({ host: at, device: d.name, what: `the ${owner === 'dhcp' ? 'DHCP port' : 'router'}` }))
          : [];
      }),
    ];
    let blind: import('../../engine/failure.ts').FactFailure | undefined;
    for (const place of places) {
      const there = facts.ovs.value.get(place.host);
      if (there === undefined) continue;
      if (!there.ok) {
        blind ??= there.error;
        continue;
      }
      const ports = there.value.value.bridges.flatMap((b) => b.ports);
      const port = ports.find((p) => p.name === place.device);
      const [evidence] = there.value.evidence;
      if (port === undefined || evidence === undefined) continue;
      const agents = backend.agents('compute').map((b) => agentName(b, place.host));
      const add = (spec: FindingSpec, summary: string, lines: string): void => {
        findings.push(
          findingOf(spec, {
            summary,
            subject: `OVS port ${place.device}@${place.host}`,
            scope: portScope(subject, { host: [place.host], agent: agents }),
            evidence: [showing(evidence, lines)],
            remedies: [
              {
                title: 'let the OVS agent wire it again',
                risk: 'brief-interruption',
                sufficient: true,
                steps: backend
                  .agents('compute')
                  .slice(0, 1)
                  .map((unit) => restartOf(place.host, unit)),
              },
            ],
            verify: verifyWith('host', subject),
          }),
        );
      };
      const meant = intendedTag(port, ports, segment.networkId);
      const face = port.interfaces.find((i) => i.name === port.name) ?? port.interfaces[0];
      if (port.tag === deadTag) {
        add(
          deadVlan,
          `${place.device} of ${place.what} is in the dead VLAN 4095 on ${place.host}`,
          `${place.device}: tag 4095${meant === undefined ? '' : `, the network has tag ${meant} here`}`,
        );
      } else if (port.tag === undefined && face?.type !== 'patch') {
        add(
          wrongTag,
          `${place.device} of ${place.what} has no tag on ${place.host}`,
          `${place.device}: tag (none)${meant === undefined ? '' : `, the network has tag ${meant} here`}`,
        );
      } else if (meant !== undefined && port.tag !== meant) {
        add(
          wrongTag,
          `${place.device} of ${place.what} has tag ${port.tag} on ${place.host}; its network has ${meant}`,
          `${place.device}: tag ${port.tag}, expected ${meant}`,
        );
      }
      if (face?.ofport === -1) {
        add(
          noOfport,
          `OVS on ${place.host} could not open ${place.device} of ${place.what}`,
          `${place.device}: ofport -1, error ${face.error ?? '(none)'}`,
        );
      }
      seen.push(`${place.device} tag ${port.tag ?? '-'}`);
      evidenceOfAll.push(showing(evidence, `${place.device}: tag ${port.tag ?? '-'}, ofport ${face?.ofport ?? '-'}`));
    }
    if (findings.length === 0 && blind !== undefined) return { status: 'blocked', failures: [blind] };
    return judged(findings, seen.join(', '), evidenceOfAll, ['local VLAN']);
  },
});

/** The tag this network has on this host: the port's own record of it (other_config:tag), else its network mates'. */
function intendedTag(port: OvsPort, ports: readonly OvsPort[], networkId: string): number | undefined {
  const own = Number(port.otherConfig.get('tag'));
  if (Number.isInteger(own) && own > 0 && own < deadTag) return own;
  for (const mate of ports) {
    if (mate === port || mate.otherConfig.get('net_uuid') !== networkId) continue;
    const tag = Number(mate.otherConfig.get('tag'));
    if (Number.isInteger(tag) && tag > 0 && tag < deadTag) return tag;
  }
  return undefined;
}
