import { blocked, defineCheck, judged, skipped } from '../../engine/check.ts';
import type { Evidence } from '../../engine/evidence.ts';
import type { Finding, FindingSpec, Remedy } from '../../engine/finding.ts';
import { findingOf, onHost, restartOf } from '../../engine/finding-of.ts';
import { dhcpService } from '../../facts/dhcp.ts';
import { type Io, showing } from '../../facts/io.ts';
import { portSubnets } from '../../facts/port-api.ts';
import type { PortSubject } from '../../facts/subject.ts';
import { sameAddress, sameMac } from '../../path/addresses.ts';
import { agentName, ownerName, portScope, verifyWith } from '../scope.ts';
import { entryWrong, nameServersWrong, namespaceMissing, optionWrong, serverAddress, serverDead } from './codes.ts';

const needs = { service: dhcpService, subnets: portSubnets };
const agentBinary = 'neutron-dhcp-agent';

const again = (host: string): Remedy => ({
  title: 'let the DHCP agent set it up again',
  risk: 'none',
  sufficient: true,
  steps: [restartOf(host, agentBinary)],
});

const sameSet = (a: readonly string[], b: readonly string[]): boolean =>
  a.length === b.length && a.every((x) => b.some((y) => sameAddress(x, y)));

export default defineCheck<Io, PortSubject, typeof needs>({
  id: 'dhcp.server',
  per: 'port',
  title: 'dnsmasq runs in its namespace and knows the port',
  families: ['agents', 'routed'],
  needs,
  findings: [namespaceMissing, serverDead, serverAddress, entryWrong, optionWrong, nameServersWrong],
  judge: ({ subject, facts }) => {
    const wanting = facts.subnets.value.filter((s) => s.enable_dhcp);
    if (wanting.length === 0) return skipped('no subnet of the network has DHCP enabled');
    const { servers, unseen } = facts.service.value;
    const port = subject.port.value;
    const findings: Finding[] = [];
    const notes: string[] = [];
    for (const server of servers) {
      const [seen] = server.processEvidence;
      const [listing] = facts.service.evidence.filter((e) => e.source.kind === 'command');
      const add = (
        spec: FindingSpec,
        summary: string,
        subjectName: string,
        evidence: Evidence | undefined,
        line: string,
        remedy: Remedy = again(server.host),
      ): void => {
        if (evidence === undefined) throw new Error('a DHCP server without evidence');
        findings.push(
          findingOf(spec, {
            summary,
            subject: subjectName,
            scope: portScope(subject, { host: [server.host], agent: [agentName(agentBinary, server.host)] }),
            evidence: [showing(evidence, line)],
            remedies: [remedy],
            verify: verifyWith('dhcp', subject),
          }),
        );
      };
      if (!server.namespace.exists) {
        add(
          namespaceMissing,
          `Namespace ${server.namespace.name} is missing on ${server.host}`,
          `namespace ${server.namespace.name}@${server.host}`,
          listing,
          `no ${server.namespace.name} in ip netns`,
        );
        continue;
      }
      if (server.process === undefined) {
        add(
          serverDead,
          `dnsmasq of the network does not run on ${server.host}`,
          `dnsmasq@${server.host}`,
          seen,
          `no dnsmasq with ${port.network_id} in its arguments`,
        );
      }
      const device =
        server.links.ok && server.port !== undefined
          ? server.links.value.value.find((l) => l.name.endsWith(server.port?.id.slice(0, 11) ?? ''))
          : undefined;
      if (device !== undefined && (!device.up || !device.carrier)) {
        add(
          serverAddress,
          `${device.name}, the DHCP server's interface on ${server.host}, is ${device.up ? 'without carrier' : 'down'}`,
          `interface ${device.name}@${server.host}`,
          server.links.ok ? server.links.value.evidence[0] : undefined,
          `${device.name}: ${device.up ? 'UP' : 'not UP'}, ${device.carrier ? 'LOWER_UP' : 'no carrier'}`,
          device.up
            ? again(server.host)
            : {
                title: 'set it up',
                risk: 'none',
                sufficient: true,
                steps: [
                  onHost(server.host, [
                    'ip',
                    'netns',
                    'exec',
                    server.namespace.name,
                    'ip',
                    'link',
                    'set',
                    device.name,
                    'up',
                  ]),
                ],
              },
        );
      }
      if (server.addresses.ok && server.port !== undefined) {
        const have = server.addresses.value.value.map((a) => a.address);
        const lacking = server.port.fixed_ips.map((f) => f.ip_address).filter((ip) => !have.includes(ip));
        if (lacking.length > 0) {
          add(
            serverAddress,
            `The DHCP server on ${server.host} lacks its address ${lacking.join(', ')}`,
            `namespace ${server.namespace.name}@${server.host}`,
            server.addresses.value.evidence[0],
            `addresses in the namespace: ${have.join(', ') || '(none)'}`,
          );
        }
      }
      if (server.entries.ok) {
        for (const fixed of port.fixed_ips) {
          const subnet = wanting.find((s) => s.id === fixed.subnet_id);
          if (subnet === undefined || subnet.ip_version !== 4) continue;
          const mine = server.entries.value.value.filter((e) => sameMac(e.mac, port.mac_address));
          if (mine.some((e) => e.addresses.includes(fixed.ip_address))) continue;
          const other = server.entries.value.value.find((e) => e.addresses.includes(fixed.ip_address));
          const what =
            mine.length > 0
              ? `has ${port.mac_address} with ${mine.flatMap((e) => e.addresses).join(', ')} instead of ${fixed.ip_address}`
              : other !== undefined
                ? `has ${fixed.ip_address} for ${other.mac} instead of ${port.mac_address}`
                : `does not know ${port.mac_address}`;
          add(
            entryWrong,
            `dnsmasq on ${server.host} ${what}: ${ownerName(subject)} gets no lease`,
            `dnsmasq entry ${port.mac_address}@${server.host}`,
            server.entries.value.evidence[0],
            `expected ${port.mac_address} → ${fixed.ip_address}; the file ${what}`,
          );
        }
      }
      if (server.options.ok) {
        for (const subnet of wanting.filter(
          (s) => s.ip_version === 4 && port.fixed_ips.some((f) => f.subnet_id === s.id),
        )) {
          const router = server.options.value.value.find(
            (o) => o.version === 4 && o.option === 'router' && o.tags.some((t) => t.includes(subnet.id)),
          );
          const classless = server.options.value.value.find(
            (o) =>
              o.version === 4 && o.option === 'classless-static-route' && o.tags.some((t) => t.includes(subnet.id)),
          )?.values;
          const at = classless?.indexOf('0.0.0.0/0') ?? -1;
          const ownDefault = (subnet.host_routes ?? []).some((r) => r.destination === '0.0.0.0/0');
          // Who is given classless routes ignores the router option (RFC 3442).
          const given = [at < 0 || ownDefault ? undefined : classless?.[at + 1], router?.values[0]].find(
            (address) => address !== undefined && address !== subnet.gateway_ip,
          );
          const names = server.options.value.value.find(
            (o) => o.version === 4 && o.option === 'dns-server' && o.tags.some((t) => t.includes(subnet.id)),
          );
          const meant = (subnet.dns_nameservers ?? []).filter((a) => !a.includes(':') && a !== '0.0.0.0');
          if (names !== undefined && meant.length > 0 && !sameSet(names.values, meant)) {
            add(
              nameServersWrong,
              `dnsmasq on ${server.host} hands out ${names.values.join(', ')} as name server${names.values.length === 1 ? '' : 's'}; subnet ${subnet.cidr} has ${meant.join(', ')}`,
              `DHCP option dns-server@${server.host}`,
              server.options.value.evidence[0],
              `option:dns-server,${names.values.join(',')}; dns_nameservers ${meant.join(', ')}`,
            );
          }
          if (given === undefined || !subnet.gateway_ip || given === subnet.gateway_ip) continue;
          add(
            optionWrong,
            `dnsmasq on ${server.host} hands out ${given} as router; the gateway of ${subnet.cidr} is ${subnet.gateway_ip}`,
            `DHCP option router@${server.host}`,
            server.options.value.evidence[0],
            `option:router,${given}; gateway_ip ${subnet.gateway_ip}`,
          );
        }
      }
      notes.push(
        `${server.host}: dnsmasq alive, entry ${port.mac_address} → ${port.fixed_ips.map((f) => f.ip_address).join(', ')}`,
      );
    }
    const [first] = unseen;
    if (findings.length === 0 && servers.length === 0 && first !== undefined) return blocked(first.failure);
    return judged(findings, notes.join('; '), facts.service.evidence, ['DHCP server']);
  },
});
