import { defineCheck, judged } from '../../engine/check.ts';
import type { Evidence } from '../../engine/evidence.ts';
import type { FactFailure } from '../../engine/failure.ts';
import type { Finding, FindingSpec, Remedy } from '../../engine/finding.ts';
import { byOperator, findingOf, onHost, restartOf } from '../../engine/finding-of.ts';
import { hostLinks, hostOvs } from '../../facts/host.ts';
import { type Io, showing } from '../../facts/io.ts';
import { onComputeHost, placement } from '../../facts/placement.ts';
import type { PortSubject } from '../../facts/subject.ts';
import type { Link } from '../../nodes/parse/links.ts';
import type { OvsState } from '../../nodes/parse/ovsdb.ts';
import type { ExpectedDevice } from '../../path/backends/backend.ts';
import { agentName, ownerName, portScope, verifyWith } from '../scope.ts';
import { deviceDown, deviceMissing, notPlugged } from './codes.ts';

const needs = { placement, links: onComputeHost(hostLinks) };
const optional = { ovs: onComputeHost(hostOvs) };

/** The bridge a device is really in: the kernel's word, or OVSDB's. */
const bridgeOf = (device: string, link: Link | undefined, ovs: OvsState | undefined): string | undefined =>
  ovs?.bridges.find((b) => b.ports.some((p) => p.interfaces.some((i) => i.name === device)))?.name ?? link?.master;

const plugIn = (device: ExpectedDevice, host: string, instanceId: string | undefined): Remedy => {
  const again =
    instanceId === undefined
      ? []
      : [byOperator(['openstack', 'server', 'reboot', '--hard', instanceId], 'or let Nova plug it again')];
  if (device.in?.driver === 'linux') {
    return {
      title: 'plug it in again',
      risk: 'none',
      sufficient: true,
      steps: [onHost(host, ['ip', 'link', 'set', device.name, 'master', device.in.bridge])],
    };
  }
  return { title: 'let Nova plug it again', risk: 'disruptive', sufficient: true, steps: again };
};

export default defineCheck<Io, PortSubject, typeof needs, typeof optional>({
  id: 'host.attachment',
  per: 'port',
  title: "The port's devices are there, up and in their bridges",
  needs,
  optional,
  findings: [deviceMissing, notPlugged, deviceDown],
  judge: ({ subject, facts, maybe }) => {
    const { backend, bound, segment, host } = facts.placement.value;
    const [evidence] = facts.links.evidence;
    if (evidence === undefined) throw new Error('links without evidence');
    const expected = backend.attachment(bound, segment);
    const usesOvs = expected.some((d) => d.in?.driver === 'ovs');
    if (usesOvs && !maybe.ovs.ok) return { status: 'blocked', failures: [maybe.ovs.error] satisfies [FactFailure] };
    const ovs = maybe.ovs.ok ? maybe.ovs.value.value : undefined;
    const ovsEvidence: readonly Evidence[] = maybe.ovs.ok ? maybe.ovs.value.evidence : [];
    const links = new Map(facts.links.value.map((l) => [l.name, l]));
    const instanceId = subject.instance?.id;
    const agent = backend.agents('compute').map((b) => agentName(b, host));
    const findings: Finding[] = [];
    const add = (spec: FindingSpec, device: ExpectedDevice, summary: string, shown: Evidence, remedy: Remedy): void => {
      findings.push(
        findingOf(spec, {
          summary,
          subject: `device ${device.name}@${host}`,
          scope: portScope(subject, { host: [host], agent }),
          evidence: [shown],
          remedies: [remedy],
          verify: verifyWith('host', subject),
        }),
      );
    };
    const missing = expected.filter((d) => !links.has(d.name));
    for (const device of expected) {
      const link = links.get(device.name);
      if (link === undefined) {
        // A lost bridge explains the loss of what is in it; the segment device alone still cuts the way.
        if (device.in !== undefined && missing.some((m) => m.name === device.in?.bridge)) continue;
        add(
          deviceMissing,
          device,
          `${device.name} (${device.role}) of ${ownerName(subject)} is missing on ${host}`,
          showing(evidence, `no ${device.name} among ${facts.links.value.length} links`),
          device.role === 'tap' && instanceId !== undefined
            ? {
                title: 'let Nova plug it again',
                risk: 'disruptive',
                sufficient: true,
                steps: [byOperator(['openstack', 'server', 'reboot', '--hard', instanceId])],
              }
            : {
                title: 'let the L2 agent make it again',
                risk: 'brief-interruption',
                sufficient: true,
                steps: backend
                  .agents('compute')
                  .slice(0, 1)
                  .map((unit) => restartOf(host, unit)),
              },
        );
        continue;
      }
      if (device.in !== undefined) {
        const actual = bridgeOf(device.name, link, ovs);
        // `ovs-system` is the datapath's own master of every device in a kernel-datapath OVS.
        if (actual !== device.in.bridge) {
          const [ovsSeen] = ovsEvidence;
          const shown = device.in.driver === 'ovs' && ovsSeen !== undefined ? ovsSeen : evidence;
          add(
            notPlugged,
            device,
            `${device.name} of ${ownerName(subject)} is ${actual === undefined ? 'in no bridge' : `in ${actual}`} on ${host}; it belongs in ${device.in.bridge}`,
            showing(shown, `${device.name}: bridge ${actual ?? '(none)'}, expected ${device.in.bridge}`),
            plugIn(device, host, instanceId),
          );
          continue;
        }
      }
      if (!link.up || (device.role === 'tap' && !link.carrier && subject.port.value.admin_state_up)) {
        add(
          deviceDown,
          device,
          `${device.name} of ${ownerName(subject)} is ${link.up ? 'without carrier' : 'down'} on ${host}`,
          showing(
            evidence,
            `${device.name}: ${link.up ? 'UP' : 'not UP'}, ${link.carrier ? 'LOWER_UP' : 'no carrier'}, operstate ${link.operstate}, mtu ${link.mtu}`,
          ),
          {
            title: 'set it up',
            risk: 'none',
            sufficient: !link.up,
            steps: [onHost(host, ['ip', 'link', 'set', device.name, 'up'])],
          },
        );
      }
    }
    const chain = expected.map((d) => d.name).join(', ');
    return judged(findings, `${chain} in place on ${host}`, [evidence], ['wiring of the port on its host']);
  },
});
