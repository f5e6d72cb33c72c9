import { blocked, defineCheck, judged, skipped } from '../../engine/check.ts';
import type { Io } from '../../facts/io.ts';
import { resolutions } from '../../facts/neighbour.ts';
import { pingsFromDhcp } from '../../facts/ping.ts';
import { dhcpHosts, remoteMembers, securityGroups } from '../../facts/port-api.ts';
import type { PortSubject } from '../../facts/subject.ts';
import { ownerName } from '../scope.ts';
import { fromDhcp, lossy } from './codes.ts';
import { judgePings } from './judge-pings.ts';

const needs = { pings: pingsFromDhcp };
const optional = { groups: securityGroups, members: remoteMembers, resolutions, hosts: dhcpHosts };

export default defineCheck<Io, PortSubject, typeof needs, typeof optional>({
  id: 'ping.from-dhcp',
  per: 'port',
  title: 'The instance answers a ping from its DHCP namespace',
  needs,
  optional,
  findings: [fromDhcp, lossy],
  judge: ({ subject, facts, maybe }) => {
    const { runs, notSent } = facts.pings.value;
    const [lost] = notSent;
    if (runs.length === 0) {
      if (lost === undefined) return skipped('the network has no DHCP namespace to ping from');
      return lost.failure.kind === 'not-found'
        ? skipped(`no ${lost.from} namespace on ${lost.host} to ping from`)
        : blocked(lost.failure);
    }
    const hosts = maybe.hosts.ok ? maybe.hosts.value.value : [];
    const result = judgePings(
      subject,
      facts.pings,
      {
        groups: maybe.groups.ok ? maybe.groups.value.value : undefined,
        members: maybe.members.ok ? maybe.members.value.value : undefined,
        resolutions: maybe.resolutions.ok ? maybe.resolutions.value.value : [],
        sourceOf: (run) => hosts.find((h) => h.host === run.host)?.port?.fixed_ips[0]?.ip_address,
      },
      fromDhcp,
      (run, arp) =>
        `${ownerName(subject)} (${run.to}) does not answer a ping from its DHCP namespace on ${run.host}${arp}`,
    );
    return judged(result.findings, result.note, result.evidence, ['network path from the DHCP host']);
  },
});
