import type { MembersOf, PortSecurity, SecurityGroup, SecurityGroupRule } from './model.ts';

/** A security group as the Neutron API gives it; only what is read here. */
export interface ApiGroup {
  readonly id: string;
  readonly name: string;
  readonly stateful?: boolean | null | undefined;
  readonly security_group_rules: readonly ApiRule[];
}

export interface ApiRule {
  readonly id: string;
  readonly direction: string;
  readonly ethertype?: string | null | undefined;
  readonly protocol?: string | number | null | undefined;
  readonly port_range_min?: number | null | undefined;
  readonly port_range_max?: number | null | undefined;
  readonly remote_ip_prefix?: string | null | undefined;
  readonly remote_group_id?: string | null | undefined;
  readonly remote_address_group_id?: unknown;
}

/** Out of the API's spelling. */
export function groupFromApi(group: ApiGroup): SecurityGroup {
  return {
    id: group.id,
    name: group.name,
    stateful: group.stateful !== false,
    rules: group.security_group_rules.map(ruleFromApi),
  };
}

export function ruleFromApi(rule: ApiRule): SecurityGroupRule {
  const addressGroup = rule.remote_address_group_id;
  return {
    id: rule.id,
    direction: rule.direction === 'egress' ? 'egress' : 'ingress',
    ethertype: rule.ethertype === 'IPv6' ? 'IPv6' : 'IPv4',
    protocol: rule.protocol ?? null,
    portMin: rule.port_range_min ?? null,
    portMax: rule.port_range_max ?? null,
    remoteIpPrefix: rule.remote_ip_prefix ?? null,
    remoteGroupId: rule.remote_group_id ?? null,
    remoteAddressGroupId: typeof addressGroup === 'string' ? addressGroup : null,
  };
}

/** A port as the Neutron API gives it; only what is read here. */
export interface ApiPort {
  readonly mac_address: string;
  readonly port_security_enabled?: boolean | undefined;
  readonly device_owner?: string | undefined;
  readonly security_groups?: readonly string[] | undefined;
  readonly fixed_ips: readonly { readonly ip_address: string }[];
  readonly allowed_address_pairs?:
    | readonly { readonly ip_address: string; readonly mac_address?: string | undefined }[]
    | undefined;
}

/** Out of the API's spelling. Without the port security extension only Neutron's own ports (`network:*`) are open. */
export function portSecurityFromApi(port: ApiPort): PortSecurity {
  return {
    enabled: port.port_security_enabled ?? !port.device_owner?.startsWith('network:'),
    groups: port.security_groups ?? [],
    allowedAddressPairs: (port.allowed_address_pairs ?? []).map(({ ip_address: ip, mac_address: mac }) =>
      mac === undefined ? { ip } : { ip, mac },
    ),
    fixedIps: port.fixed_ips.map(({ ip_address: ip }) => ip),
    mac: port.mac_address,
  };
}

/**
 * What `membersOf` needs, out of all ports of the project: addresses and allowed pairs of every port of the group. A
 * list that is not complete makes groups look emptier than they are.
 */
export function membersFromPorts(ports: readonly PortSecurity[]): MembersOf {
  const members = new Map<string, Set<string>>();
  for (const port of ports) {
    for (const id of port.groups) {
      const addresses = members.get(id) ?? new Set<string>();
      for (const ip of port.fixedIps) addresses.add(ip);
      for (const { ip } of port.allowedAddressPairs) addresses.add(ip);
      members.set(id, addresses);
    }
  }
  return (id) => [...(members.get(id) ?? [])];
}
