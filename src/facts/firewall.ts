import type { Evidence } from '../engine/evidence.ts';
import { observed } from '../engine/fact.ts';
import { err } from '../engine/result.ts';
import { type Ipset, parseIpsets } from '../nodes/parse/ipset.ts';
import { deviceName, type Family, familyOf } from '../path/addresses.ts';
import { type Enforcement, named, together, type WantedFirewall } from '../path/firewall/enforcement.ts';
import { compareIptables } from '../path/firewall/hybrid.ts';
import { compareNative } from '../path/firewall/native.ts';
import { groupFromApi, portSecurityFromApi } from '../path/secgroup/from-api.ts';
import { bridgeFlows, hostIp6tables, hostIptables, hostOvs, hostSysctl } from './host.ts';
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

/** What the API wants of the port's firewall, against what its host has, for every family of its addresses. */
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
    const has = (family: Family): boolean => port.fixed_ips.some((f) => familyOf(f.ip_address) === family);
    const families = ([4, 6] as const).filter((family) => has(family) || (family === 4 && !has(6)));
    const wantedOf = (family: Family): WantedFirewall => ({
      portId: port.id,
      security: portSecurityFromApi(port),
      groups: groups.value.value.map(groupFromApi),
      family,
      membersOf: (id) => (members.ok ? members.value.value.get(id) : undefined),
    });
    switch (backend.firewall) {
      case 'iptables': {
        const [sysctl, sets, ...dumps] = await Promise.all([
          facts.get(hostSysctl, host),
          facts.get(hostIpsets, host),
          ...families.map((family) => facts.get(family === 4 ? hostIptables : hostIp6tables, host)),
        ]);
        const found: Enforcement[] = [];
        const evidence: Evidence[] = [];
        for (const [at, dump] of dumps.entries()) {
          if (!dump.ok) return dump;
          const family = families[at] ?? 4;
          evidence.push(...dump.value.evidence);
          const compared = compareIptables(wantedOf(family), {
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
          });
          found.push(family === 4 ? compared : named(compared, 'ip6tables'));
        }
        return observed(together(found), ...evidence);
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
        const node = { flows: flows.value.value, ...(ofport === undefined ? {} : { ofport }) };
        return observed(
          together(families.map((family) => compareNative(wantedOf(family), node))),
          ...flows.value.evidence,
        );
      }
      case 'ovn-acl':
        return err({ kind: 'unsupported', because: 'security groups are ACLs of the Northbound here' });
      case 'none':
        return err({ kind: 'unsupported', because: `${backend.title} filters nothing` });
    }
  },
);
