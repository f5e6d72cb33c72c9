import { observed } from '../engine/fact.ts';
import { err } from '../engine/result.ts';
import { type Ipset, parseIpsets } from '../nodes/parse/ipset.ts';
import { deviceName, parseAddress } from '../path/addresses.ts';
import type { Enforcement, WantedFirewall } from '../path/firewall/enforcement.ts';
import { compareIptables } from '../path/firewall/hybrid.ts';
import { compareNative } from '../path/firewall/native.ts';
import { groupFromApi, portSecurityFromApi } from '../path/secgroup.ts';
import { bridgeFlows, hostIptables, hostOvs, hostSysctl } from './host.ts';
import { read, source } from './io.ts';
import { placement } from './placement.ts';
import { remoteMembers, securityGroups } from './port-api.ts';
import type { PortSubject } from './subject.ts';

/** `ipset save`: the members of remote groups as the agent wrote them. */
export const hostIpsets = source<string, readonly Ipset[]>(
  'host.ipsets',
  (host) => host,
  (host, facts) => read(facts, host, { argv: ['ipset', 'save'], impact: 'read', become: true }, parseIpsets),
);

/** What the API wants of the port's firewall, against what its host has (IPv4, or IPv6 where the port has only that). */
export const firewallOfPort = source<PortSubject, Enforcement>(
  'port.firewall',
  (subject) => subject.id,
  async (subject, facts) => {
    const [place, groups, members] = await Promise.all([
      facts.get(placement, subject),
      facts.get(securityGroups, subject),
      facts.get(remoteMembers, subject),
    ]);
    if (!place.ok) return place;
    if (!groups.ok) return groups;
    const { host, backend, bound } = place.value.value;
    const port = subject.port.value;
    const family = port.fixed_ips.some((f) => parseAddress(f.ip_address)?.family === 4) ? 4 : 6;
    const wanted: WantedFirewall = {
      portId: port.id,
      security: portSecurityFromApi(port),
      groups: groups.value.value.map(groupFromApi),
      family,
      membersOf: (id) => (members.ok ? members.value.value.get(id) : undefined),
    };
    switch (backend.firewall) {
      case 'iptables': {
        if (family === 6)
          return err({
            kind: 'unsupported',
            because: 'the port has IPv6 addresses only; its ip6tables are not compared yet',
          });
        const [dump, sysctl, sets] = await Promise.all([
          facts.get(hostIptables, host),
          facts.get(hostSysctl, host),
          facts.get(hostIpsets, host),
        ]);
        if (!dump.ok) return dump;
        return observed(
          compareIptables(wanted, {
            dump: dump.value.value,
            ...(sysctl.ok ? { sysctl: sysctl.value.value } : {}),
            ...(sets.ok
              ? {
                  setMembers: (name: string) =>
                    sets.value.value
                      .find((s) => s.name === name)
                      ?.entries.filter((e) => !e.nomatch)
                      .map((e) => e.entry),
                }
              : {}),
          }),
          ...dump.value.evidence,
        );
      }
      case 'ovs-flows': {
        const bridge = bound.bridgeName ?? 'br-int';
        const [flows, ovs] = await Promise.all([facts.get(bridgeFlows, { host, bridge }), facts.get(hostOvs, host)]);
        if (!flows.ok) return flows;
        const tap = deviceName('tap', port.id);
        const ofport = ovs.ok
          ? ovs.value.value.bridges.flatMap((b) => b.ports.flatMap((p) => p.interfaces)).find((i) => i.name === tap)
              ?.ofport
          : undefined;
        return observed(
          compareNative(wanted, { flows: flows.value.value, ...(ofport === undefined ? {} : { ofport }) }),
          ...flows.value.evidence,
        );
      }
      case 'ovn-acl':
        return err({ kind: 'unsupported', because: 'security groups are OVN ACLs here; they are not compared yet' });
      case 'none':
        return err({ kind: 'unsupported', because: `${backend.title} filters nothing` });
    }
  },
);
