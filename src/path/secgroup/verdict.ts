import { cidrContains, type Family, sameMac } from '../addresses.ts';
import { missesOf } from './misses.ts';
import type {
  AddressPair,
  Allowed,
  Direction,
  Exemption,
  MembersOf,
  PortSecurity,
  Probe,
  RuleRef,
  SecurityGroup,
  Verdict,
} from './model.ts';
import { extentOf, overlaps, type Space, touches } from './rectangle.ts';
import { portsLetThrough, refsOf, remotesOf, spaceOfProbe } from './rule.ts';

/**
 * What Neutron's firewall drivers do with a packet of this port, by the rules in the API: the union of the rules of
 * all its groups lets through, the rest is dropped. Sources: Neutron API reference (security group rules),
 * neutron/agent/linux/iptables_firewall.py, openvswitch_firewall/firewall.py, db/securitygroups_{db,rpc_base}.py.
 * Throws a TypeError when `probe.remote` is not of `probe.family`.
 */
export function verdictOf(
  probe: Probe,
  port: PortSecurity,
  groups: readonly SecurityGroup[],
  membersOf: MembersOf = () => undefined,
): Verdict {
  if (!port.enabled) return exempt('port-security-off');
  const fixed = fixedVerdict(probe, port);
  if (fixed) return fixed;
  if (port.groups.length === 0) return { kind: 'denied', because: 'no-group' };
  const own = port.groups.flatMap((id) => groups.find((group) => group.id === id) ?? []);
  if (probe.reply === true && own.every((group) => group.stateful !== false)) return exempt('reply');

  const asked = spaceOfProbe(probe);
  const certain: Cover[] = [];
  const open: RuleRef[] = [];
  for (const of of refsOf(own)) {
    const ports = portsLetThrough(of.rule, probe);
    if (!ports || !overlaps(ports, asked.ports)) continue;
    const remotes = remotesOf(of.rule, membersOf);
    if (remotes === 'unknown') open.push(of);
    else for (const addresses of remotes) certain.push({ of, ports, addresses });
  }
  const extent = extentOf(asked, certain);
  const by = contributors(asked, certain);
  const [first, ...rest] = by;
  if (extent === 'whole' && first) return { kind: 'allowed', because: 'rules', by: [first, ...rest], extent };
  const unseenGroups = port.groups.filter((id) => !own.some((group) => group.id === id));
  if (open.length > 0 || unseenGroups.length > 0) return { kind: 'depends', on: open, unseenGroups, surely: by };
  if (extent === 'part' && first) return { kind: 'allowed', because: 'rules', by: [first, ...rest], extent };
  const named = own.map(({ id, name }) => ({ id, name }));
  return { kind: 'denied', because: 'no-rule', groups: named, misses: missesOf(probe, own, membersOf) };
}

const exempt = (exemption: Exemption): Allowed => ({ kind: 'allowed', because: 'exempt', exemption, extent: 'whole' });

interface Cover extends Space {
  readonly of: RuleRef;
}

/** The rules to name: one that does it alone if there is one, else all that take part. */
function contributors(asked: Space, covers: readonly Cover[]): readonly RuleRef[] {
  const alone = covers.find((cover) => extentOf(asked, [cover]) === 'whole');
  if (alone) return [alone.of];
  const refs = new Map<string, RuleRef>();
  for (const cover of covers) if (touches(asked, cover)) refs.set(cover.of.rule.id, cover.of);
  return [...refs.values()];
}

/** ICMPv6 types that pass by themselves (neutron.agent.firewall ICMPV6_ALLOWED_INGRESS/EGRESS_TYPES, _RESTRICTED_). */
const NEIGHBOUR_DISCOVERY: Readonly<Record<Direction, readonly number[]>> = {
  ingress: [130, 134, 135, 136],
  egress: [130, 133, 135, 136],
};
const ROUTER_ADVERTISEMENT = 134;
const DHCP_PORTS: Readonly<Record<Family, { readonly client: number; readonly server: number }>> = {
  4: { client: 68, server: 67 },
  6: { client: 546, server: 547 },
};

/** The rules every port has, before those of its groups. */
function fixedVerdict(probe: Probe, port: PortSecurity): Verdict | undefined {
  const { client, server } = DHCP_PORTS[probe.family];
  const dhcp = (from: number, to: number): boolean =>
    probe.protocol === 'udp' && probe.port === to && (probe.sourcePort ?? from) === from;
  const discovery =
    probe.protocol === 'icmp' &&
    probe.family === 6 &&
    probe.icmpType !== undefined &&
    NEIGHBOUR_DISCOVERY[probe.direction].includes(probe.icmpType);
  if (probe.direction === 'ingress') {
    if (dhcp(server, client)) return exempt('dhcp');
    return discovery ? exempt('neighbour-discovery') : undefined;
  }
  if (dhcp(client, server)) return exempt('dhcp');
  if (spoofed(probe, port)) {
    return { kind: 'denied', because: 'spoofed', source: probe.local ?? probe.localMac ?? '' };
  }
  // An instance may well send to some other udp/68; only the pair of ports of a server's answer is stopped.
  if (probe.sourcePort === server && dhcp(server, client)) return { kind: 'denied', because: 'dhcp-server' };
  if (probe.protocol === 'icmp' && probe.family === 6 && probe.icmpType === ROUTER_ADVERTISEMENT) {
    return { kind: 'denied', because: 'router-advertisement' };
  }
  return discovery ? exempt('neighbour-discovery') : undefined;
}

/** True when port security stops the packet's source: the pair of MAC and address is not one of the port's. */
function spoofed(probe: Probe, port: PortSecurity): boolean {
  if (probe.local === undefined && probe.localMac === undefined) return false;
  const mac = probe.localMac ?? port.mac;
  const pairs: readonly AddressPair[] = [...port.fixedIps.map((ip) => ({ ip })), ...port.allowedAddressPairs];
  return !pairs.some(
    (pair) => sameMac(pair.mac ?? port.mac, mac) && (probe.local === undefined || cidrContains(pair.ip, probe.local)),
  );
}
