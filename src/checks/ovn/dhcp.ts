import { defineCheck, judged, skipped } from '../../engine/check.ts';
import type { Io } from '../../facts/io.ts';
import { logicalView } from '../../facts/ovn/logical.ts';
import { portNetwork, portSubnets, servicePorts } from '../../facts/port-api.ts';
import type { PortSubject } from '../../facts/subject.ts';
import { compareDhcp } from '../../path/ovn/compare-dhcp.ts';
import { dhcpDiffers, dhcpUnset } from './codes-ordered.ts';
import { databasesOf, findingsOf, portName } from './judge-differences.ts';

const needs = { logical: logicalView, network: portNetwork, subnets: portSubnets, service: servicePorts };
const optional = { databases: databasesOf };

export default defineCheck<Io, PortSubject, typeof needs, typeof optional>({
  id: 'ovn.dhcp',
  per: 'port',
  title: "OVN's DHCP answers the port as Neutron says",
  families: ['ovn'],
  needs,
  optional,
  findings: [dhcpUnset, dhcpDiffers],
  judge: ({ subject, facts, maybe }) => {
    const view = facts.logical.value;
    if (view.port === undefined) return skipped('OVN does not have the port');
    const metadata = facts.service.value.find((p) => p.device_owner === 'network:distributed');
    const differences = compareDhcp(
      subject.port.value,
      portName(subject),
      facts.network.value,
      facts.subnets.value,
      (subnet) => metadata?.fixed_ips.find((f) => f.subnet_id === subnet)?.ip_address,
      view,
    );
    const named = view.dhcp.filter((d) => d.uuid === view.port?.dhcpv4 || d.uuid === view.port?.dhcpv6);
    return judged(
      findingsOf(subject, differences, facts.logical.evidence, maybe.databases, 'dhcp'),
      named.map((d) => `${d.cidr} by OVN`).join(', ') || 'no DHCP by OVN, as ordered',
      facts.logical.evidence,
      ['DHCP options'],
    );
  },
});
