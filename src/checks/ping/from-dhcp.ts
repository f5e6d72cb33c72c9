import { defineCheck } from '../../engine/check.ts';
import type { Io } from '../../facts/io.ts';
import { pingsFromDhcp } from '../../facts/ping.ts';
import { dhcpHosts } from '../../facts/port-api.ts';
import type { PortSubject } from '../../facts/subject.ts';
import { sourceTowards } from '../expected.ts';
import { ownerName } from '../scope.ts';
import { fromDhcp, lossy } from './codes.ts';
import { besides, judgeInto } from './into-instance.ts';

const needs = { pings: pingsFromDhcp };
const optional = { ...besides, hosts: dhcpHosts };

export default defineCheck<Io, PortSubject, typeof needs, typeof optional>({
  id: 'ping.from-dhcp',
  per: 'port',
  title: 'The instance answers a ping from its DHCP namespace',
  families: ['agents', 'routed'],
  needs,
  optional,
  findings: [fromDhcp, lossy],
  judge: ({ subject, facts, maybe }) => {
    const hosts = maybe.hosts.ok ? maybe.hosts.value.value : [];
    return judgeInto(subject, facts.pings, maybe, {
      spec: fromDhcp,
      none: 'the network has no DHCP namespace to ping from',
      rulesOut: 'network path from the DHCP host',
      sourceOf: (run) =>
        sourceTowards(
          hosts.flatMap((h) => (h.host === run.host && h.port !== undefined ? [h.port] : [])),
          run.to,
          subject.port.value.fixed_ips,
        ),
      sentence: (run, arp) =>
        `${ownerName(subject)} (${run.to}) does not answer a ping from its DHCP namespace on ${run.host}${arp}`,
    });
  },
});
