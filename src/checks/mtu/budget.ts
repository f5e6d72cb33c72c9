import { blocked, defineCheck, judged, skipped } from '../../engine/check.ts';
import type { FactResult } from '../../engine/fact.ts';
import type { FactFailure } from '../../engine/failure.ts';
import type { Finding } from '../../engine/finding.ts';
import { findingOf, onHost } from '../../engine/finding-of.ts';
import { hostAddresses, hostLinks } from '../../facts/host.ts';
import { type Io, showing } from '../../facts/io.ts';
import { onPathHosts, placement } from '../../facts/placement.ts';
import { portNetwork, servicePorts } from '../../facts/port-api.ts';
import type { PortSubject } from '../../facts/subject.ts';
import { tunnels } from '../../facts/tunnel.ts';
import type { InterfaceAddress } from '../../nodes/parse/addresses.ts';
import type { Link } from '../../nodes/parse/links.ts';
import { parseAddress, sameAddress } from '../../path/addresses.ts';
import { mtuBudget, type NetworkType, type PathLink } from '../../path/mtu.ts';
import { portScope, verifyWith } from '../scope.ts';
import { narrowDevice } from './codes.ts';

const needs = {
  placement,
  network: portNetwork,
  links: onPathHosts(hostLinks),
  addresses: onPathHosts(hostAddresses),
  service: servicePorts,
};
const optional = { tunnels };

const known: readonly string[] = ['vxlan', 'gre', 'geneve', 'vlan', 'flat', 'local'];
const isType = (type: string | undefined): type is NetworkType => type !== undefined && known.includes(type);

export default defineCheck<Io, PortSubject, typeof needs, typeof optional>({
  id: 'mtu.budget',
  per: 'port',
  title: "Every device of the path has room for the network's packets",
  needs,
  optional,
  findings: [narrowDevice],
  judge: ({ subject, facts, maybe }) => {
    const { backend, bound, segment, host } = facts.placement.value;
    const { mtu } = facts.network.value;
    if (mtu === undefined || !isType(segment.type))
      return skipped('the type or the MTU of the network is hidden from these credentials');
    const links: PathLink[] = [];
    let blind: FactFailure | undefined;
    const linksOf = (name: string): readonly Link[] => {
      const there: FactResult<readonly Link[]> | undefined = facts.links.value.get(name);
      if (there === undefined) return [];
      if (there.ok) return there.value.value;
      blind ??= there.error;
      return [];
    };
    const tenant = (on: string, names: readonly string[]): void => {
      for (const link of linksOf(on))
        if (names.includes(link.name)) links.push({ host: on, device: link.name, mtu: link.mtu, carries: 'tenant' });
    };
    tenant(
      host,
      backend
        .attachment(bound, segment)
        .filter((d) => d.role !== 'bridge' || backend.firewall === 'iptables')
        .map((d) => d.name),
    );
    for (const port of facts.service.value) {
      const at = port['binding:host_id'];
      if (!at) continue;
      const owner = port.device_owner === 'network:dhcp' ? 'dhcp' : 'router';
      tenant(
        at,
        backend.serviceAttachment(port.id, owner, segment).map((d) => d.name),
      );
    }
    const underlay = (on: string, endpoint: string): void => {
      const there: FactResult<readonly InterfaceAddress[]> | undefined = facts.addresses.value.get(on);
      if (there?.ok !== true) return;
      const device = there.value.value.find((a) => sameAddress(a.address, endpoint))?.dev;
      const link = linksOf(on).find((l) => l.name === device);
      if (link !== undefined) links.push({ host: on, device: link.name, mtu: link.mtu, carries: 'underlay' });
    };
    const tunnel = maybe.tunnels.ok ? maybe.tunnels.value.value.links : [];
    for (const l of tunnel) {
      underlay(l.compute, l.computeEndpoint);
      underlay(l.peer, l.peerEndpoint);
    }
    const outer = parseAddress(tunnel[0]?.computeEndpoint ?? '')?.family ?? 4;
    const unique = [...new Map(links.map((l) => [`${l.host} ${l.device} ${l.carries}`, l])).values()];
    const budget = mtuBudget({ networkMtu: mtu, type: segment.type, outer, links: unique });
    if (unique.length === 0) return blind === undefined ? skipped('no device of the path was seen') : blocked(blind);
    const findings = budget.tooNarrow.flatMap(({ link, needs: wanted }): Finding[] => {
      const seen = facts.links.value.get(link.host);
      const evidence = seen?.ok === true ? seen.value.evidence[0] : undefined;
      if (evidence === undefined) return [];
      return [
        findingOf(narrowDevice, {
          summary: `${link.device} on ${link.host} has MTU ${link.mtu}; the network's ${mtu} need ${wanted} there`,
          subject: `device ${link.device}@${link.host}`,
          scope: portScope(subject, { host: [link.host] }),
          evidence: [showing(evidence, `${link.device}: mtu ${link.mtu}, needed ${wanted}`)],
          remedies: [
            {
              title: 'raise its MTU',
              risk: 'reversible',
              sufficient: true,
              steps: [onHost(link.host, ['ip', 'link', 'set', link.device, 'mtu', String(wanted)])],
            },
          ],
          verify: verifyWith('mtu', subject),
        }),
      ];
    });
    const underlayMtu = unique.find((l) => l.carries === 'underlay')?.mtu;
    const note =
      budget.overhead === 0 || underlayMtu === undefined
        ? `${mtu} on every device`
        : `${mtu} on every device: underlay ${underlayMtu} − ${budget.overhead}`;
    return judged(findings, note, facts.network.evidence, ['MTU of the devices']);
  },
});
