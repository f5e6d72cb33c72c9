import type { Explains, FindingSpec, Relation } from '../../engine/finding.ts';
import type { DifferenceKind } from '../../path/ovn/difference.ts';

const northbound = 'https://man7.org/linux/man-pages/man5/ovn-nb.5.html';
const southbound = 'https://man7.org/linux/man-pages/man5/ovn-sb.5.html';
const sync = 'https://docs.openstack.org/neutron/latest/ovn/migration.html';

const of = (over: Relation, ...codes: readonly string[]): readonly Explains[] =>
  codes.map((code) => ({ code, over: [over] }));

/** What OVN's own flows and packets then say. */
const seen = ['OSD-OVN-060', 'OSD-OVN-063', 'OSD-OVN-065'];
/** The same, and flows that are not there for the same reason. */
const forecast = of('port', 'OSD-OVN-062', ...seen);
/** What a symptom may stand before: symptoms alone. */
const unheard: readonly Explains[] = [
  ...of('port', 'OSD-PORT-004', 'OSD-PING-*', 'OSD-TCP-002', 'OSD-PATH-*', 'OSD-MTU-001', ...seen),
  ...of('instance', 'OSD-CONSOLE-001', 'OSD-CONSOLE-003'),
];
/** What stops when the port itself is not wired. */
const silence = of(
  'port',
  'OSD-PORT-004',
  'OSD-PING-*',
  'OSD-TCP-*',
  'OSD-PATH-*',
  'OSD-MTU-*',
  'OSD-GUEST-*',
  'OSD-OVN-033',
);
/** The metadata agent takes away what serves a network of which no port is bound on its chassis. */
const unserved = of('port', 'OSD-OVN-023', 'OSD-OVN-024');
const mute: readonly Explains[] = [...silence, ...forecast, ...unserved, ...of('instance', 'OSD-CONSOLE-*')];
/** What fails beyond the subnet. */
const beyond: readonly Explains[] = [
  ...forecast,
  ...of('port', 'OSD-PING-002', 'OSD-PING-003', 'OSD-PING-004', 'OSD-TCP-*', 'OSD-PATH-*', 'OSD-MTU-*'),
];
const noLease: readonly Explains[] = of('instance', 'OSD-CONSOLE-001', 'OSD-CONSOLE-003');

export const portMissing: FindingSpec = {
  code: 'OSD-OVN-030',
  severity: 'error',
  nature: 'cause',
  title: 'The Northbound has no logical switch port for the port',
  meaning:
    'Neutron has the port and OVN does not know it: no chassis binds it, nothing is led to it. The row was deleted by hand, or was never written.',
  evidence: 'Logical_Switch_Port of the Northbound by the name that Neutron gives it, the id of the port.',
  mend: 'Make the row again, or let neutron-ovn-db-sync-util write all that Neutron has (mode log first, then repair).',
  explains: mute,
  refs: [northbound, sync],
};

export const portDiffers: FindingSpec = {
  code: 'OSD-OVN-031',
  severity: 'error',
  nature: 'cause',
  title: 'The logical switch port is not as Neutron ordered it',
  meaning:
    'A column of the row in the Northbound (addresses, port_security, enabled, type, requested-chassis, …) is otherwise than Neutron writes it for this port. OVN does what the row says.',
  evidence: "Logical_Switch_Port of the Northbound against the port's addresses, pairs, state and binding in the API.",
  mend: 'Set the column again, and find who changed it: Neutron writes it only when the port changes.',
  explains: mute,
  refs: [northbound],
};

export const notCarriedOver: FindingSpec = {
  code: 'OSD-OVN-032',
  severity: 'error',
  nature: 'symptom',
  title: 'The Southbound does not have what the Northbound has',
  meaning:
    'ovn-northd makes the rows of the Southbound of those of the Northbound. It is behind, paused or stopped, or somebody changed the Southbound by hand.',
  evidence:
    'Port_Binding and Datapath_Binding of the Southbound against the rows of the Northbound that they are made of.',
  mend: 'Look at ovn-northd: its state (ovn-appctl -t ovn-northd status), its log, and whether both databases take writes.',
  explains: [...unheard, ...of('port', 'OSD-OVN-033')],
  refs: ['https://man7.org/linux/man-pages/man8/ovn-northd.8.html'],
};

export const notBound: FindingSpec = {
  code: 'OSD-OVN-033',
  severity: 'error',
  nature: 'symptom',
  title: 'The port is not bound on the chassis of its host',
  meaning:
    "The Southbound's Port_Binding names no chassis, another one, or one that has not set the port up: its host has no flows for it, and the others lead nothing there.",
  evidence: 'chassis and up of the Port_Binding against the host that Neutron bound the port on.',
  mend: "Look at the port's device on that host (iface-id), at ovn-controller there and at its log; and at another chassis that claims the same port.",
  explains: unheard,
  refs: [southbound],
};

export const interfaceWrong: FindingSpec = {
  code: 'OSD-OVN-034',
  severity: 'error',
  nature: 'cause',
  title: 'The device on the host is not tied to its port',
  meaning:
    'ovn-controller binds a port by external_ids:iface-id of the interface alone. It is missing or names another port, so the instance hangs on nothing.',
  evidence:
    'external_ids of the interface in the Open vSwitch database of the host against the id and MAC of the port.',
  mend: 'Set external_ids:iface-id of the interface to the id of the port.',
  explains: mute,
  refs: ['https://man7.org/linux/man-pages/man8/ovn-controller.8.html'],
};

export const interfaceTwice: FindingSpec = {
  code: 'OSD-OVN-035',
  severity: 'error',
  nature: 'cause',
  title: 'Two interfaces claim the same port',
  meaning:
    "Two devices carry the port's id (iface-id), on one host or on two. ovn-controller takes one of them, or two chassis take the port from each other.",
  evidence: 'external_ids:iface-id of the interfaces of the hosts, and the chassis of the Port_Binding.',
  mend: 'Take the id off the device that is not the instance’s; set requested-chassis again where it is gone.',
  explains: mute,
  refs: ['https://man7.org/linux/man-pages/man8/ovn-controller.8.html'],
};

export const switchDiffers: FindingSpec = {
  code: 'OSD-OVN-036',
  severity: 'error',
  nature: 'cause',
  title: 'The logical switch of the network is missing, or the port is not on it',
  meaning: 'Neutron ordered one logical switch per network, with the ports of the network on it.',
  evidence: 'Logical_Switch neutron-<network id> of the Northbound, and its ports.',
  mend: 'Move the port to the switch of its network; where the switch is gone, let neutron-ovn-db-sync-util write it.',
  explains: [...mute, ...of('port', 'OSD-OVN-032')],
  refs: [northbound, sync],
};

export const localnetDiffers: FindingSpec = {
  code: 'OSD-OVN-037',
  severity: 'error',
  nature: 'cause',
  title: 'The localnet port of a network is missing or names another wire',
  meaning:
    'A network with a physical network is joined to it by a localnet port, whose network_name (and VLAN tag) each chassis looks up in its bridge mappings. With another name no chassis joins them.',
  evidence: "localnet ports of the switch against the network's provider attributes.",
  mend: 'Set network_name and tag as the network has them.',
  explains: beyond,
  refs: [northbound],
};

export const switchStranger: FindingSpec = {
  code: 'OSD-OVN-038',
  severity: 'error',
  nature: 'cause',
  title: 'Something acts on the switch that Neutron did not order',
  meaning:
    'A QoS rule, a load balancer or a setting on the logical switch, which no API of OpenStack accounts for, slows, diverts or drops packets of the port.',
  evidence: 'QoS, Load_Balancer and other_config of the logical switch.',
  mend: 'Take it away, once its maker agrees.',
  explains: [...forecast, ...of('port', 'OSD-PING-*', 'OSD-TCP-*', 'OSD-PATH-*', 'OSD-MTU-*')],
  refs: [northbound],
};

export const aclStranger: FindingSpec = {
  code: 'OSD-OVN-039',
  severity: 'error',
  nature: 'cause',
  title: 'An ACL that no security group accounts for acts on the port',
  meaning:
    "Security groups are port groups with ACLs. Another ACL, on the switch or in a port group of somebody's own, drops or lets through packets of the port before they are asked.",
  evidence: 'ACLs of the switch and of every port group that holds the port.',
  mend: 'Take the ACL away (or the port out of the group), once its maker agrees.',
  explains: [
    ...forecast,
    ...of('port', 'OSD-PING-*', 'OSD-TCP-*', 'OSD-PATH-*', 'OSD-MTU-*'),
    ...of('instance', 'OSD-CONSOLE-003'),
  ],
  refs: [northbound],
};

export const addressSetStale: FindingSpec = {
  code: 'OSD-OVN-040',
  severity: 'error',
  nature: 'symptom',
  title: 'An address set of a remote security group lacks members',
  meaning:
    "A rule with a remote group names an address set, which ovn-northd makes of the members' logical ports. A member that is not in it is dropped, although the rule allows it.",
  evidence: 'Address_Set of the Southbound against the fixed addresses of the ports of that group.',
  mend: "Look at the member's own logical port (its addresses, its port group) and at ovn-northd.",
  explains: of('port', 'OSD-PING-*', 'OSD-TCP-002', 'OSD-PATH-*', ...seen),
  refs: [southbound],
};

export const dhcpUnset: FindingSpec = {
  code: 'OSD-OVN-041',
  severity: 'error',
  nature: 'cause',
  title: 'OVN has no DHCP options for the port',
  meaning:
    "OVN itself answers DHCP, with the row that the logical port names. It names none (or another subnet's), or the subnet has no row: requests are not answered.",
  evidence: 'dhcpv4_options and dhcpv6_options of the logical port, and DHCP_Options of its subnets.',
  mend: 'Name the row again; where it is gone, change anything of the subnet (its description): Neutron then writes row and references.',
  explains: [...noLease, ...forecast, ...of('port', 'OSD-GUEST-*', 'OSD-PING-*', 'OSD-PATH-*', 'OSD-MTU-*', ...seen)],
  refs: [northbound, 'https://docs.openstack.org/neutron/latest/ovn/dhcp_opts.html'],
};

export const dhcpDiffers: FindingSpec = {
  code: 'OSD-OVN-042',
  severity: 'error',
  nature: 'cause',
  title: "OVN's DHCP hands out something else than Neutron says",
  meaning:
    'The row of options differs from what Neutron writes for the subnet: instances get a lease and use the wrong router, MTU, name server or routes.',
  evidence: "DHCP_Options of the port against its subnet, its network's MTU, the metadata port and its extra options.",
  mend: 'Set the option again; then renew the lease in the instance.',
  explains: [
    ...of('instance', 'OSD-CONSOLE-001', 'OSD-CONSOLE-003'),
    ...of('port', 'OSD-PING-004', 'OSD-MTU-*', 'OSD-PATH-*', ...seen),
  ],
  refs: ['https://docs.openstack.org/neutron/latest/ovn/dhcp_opts.html'],
};

export const routerMissing: FindingSpec = {
  code: 'OSD-OVN-043',
  severity: 'error',
  nature: 'cause',
  title: 'The logical router is missing, disabled or pinned',
  meaning: 'Neutron ordered a logical router of this name; without it (or while it is disabled) nothing is routed.',
  evidence: 'Logical_Router neutron-<router id> of the Northbound against the router in the API.',
  mend: 'Enable it again; where it is gone, let neutron-ovn-db-sync-util write it.',
  explains: beyond,
  refs: [northbound, sync],
};

export const routerPortDiffers: FindingSpec = {
  code: 'OSD-OVN-044',
  severity: 'error',
  nature: 'cause',
  title: 'A leg of the logical router is not as Neutron ordered it',
  meaning:
    'A router port is missing, disabled, has another MAC or other addresses, or is not joined to the port of the switch that is its other end.',
  evidence:
    'Logical_Router_Port lrp-<port id> and the Logical_Switch_Port of type router against the ports of the router in the API.',
  mend: 'Set the column again, or join the two again.',
  explains: beyond,
  refs: [northbound],
};

export const routeMissing: FindingSpec = {
  code: 'OSD-OVN-045',
  severity: 'error',
  nature: 'cause',
  title: 'A route of the logical router is missing or leads elsewhere',
  meaning: "Neutron orders a default route to each external gateway, and the router's extra routes. One is not there.",
  evidence: 'Logical_Router_Static_Route against the external subnet and the routes of the router.',
  mend: 'Put the route back.',
  explains: beyond,
  refs: [northbound],
};

export const routeStranger: FindingSpec = {
  code: 'OSD-OVN-046',
  severity: 'error',
  nature: 'cause',
  title: 'The logical router has a route or a policy that Neutron did not order',
  meaning:
    'A route (perhaps one that discards) or a policy that drops or reroutes, which stands neither in the router nor in its gateway, catches packets.',
  evidence: 'Logical_Router_Static_Route and Logical_Router_Policy against the router in the API.',
  mend: 'Take it away, once its maker agrees.',
  explains: beyond,
  refs: [northbound],
};

export const natMissing: FindingSpec = {
  code: 'OSD-OVN-047',
  severity: 'error',
  nature: 'cause',
  title: 'An address translation of the logical router is missing or wrong',
  meaning:
    'The NAT row of a floating IP (dnat_and_snat) or of a subnet (snat) is not there, or names another address, port or MAC.',
  evidence: 'NAT of the logical router against the floating IPs of the port and the gateway of the router.',
  mend: 'Put the row back; detaching and attaching the floating IP makes Neutron write it, too.',
  explains: beyond,
  refs: [northbound],
};

export const natStranger: FindingSpec = {
  code: 'OSD-OVN-048',
  severity: 'error',
  nature: 'cause',
  title: 'Something translates packets of the port that Neutron did not order',
  meaning:
    "A NAT row or a load balancer on the logical router, which the API does not account for, catches the port's or the floating IP's packets.",
  evidence: 'NAT and Load_Balancer of the logical router against the API.',
  mend: 'Take it away, once its maker agrees.',
  explains: beyond,
  refs: [northbound],
};

export const gatewayUnscheduled: FindingSpec = {
  code: 'OSD-OVN-050',
  severity: 'error',
  nature: 'cause',
  title: "No chassis is scheduled for the router's gateway",
  meaning:
    'The gateway port of the router has no Gateway_Chassis, or only such as do not exist: no chassis translates addresses and leads outside.',
  evidence: 'gateway_chassis of the Logical_Router_Port against the chassis of the Southbound.',
  mend: 'Schedule a gateway chassis that has the physical network.',
  explains: [...beyond, ...of('router', 'OSD-OVN-051')],
  refs: ['https://docs.openstack.org/neutron/latest/admin/ovn/routing.html'],
};

export const gatewayUnheld: FindingSpec = {
  code: 'OSD-OVN-051',
  severity: 'error',
  nature: 'symptom',
  title: "No living chassis holds the router's gateway",
  meaning:
    'Chassis are scheduled, and none of them that lives has claimed the gateway port (cr-lrp-…): what goes outside or comes in is dropped.',
  evidence: 'Port_Binding of cr-lrp-<port id> of the Southbound, and whether its chassis lives.',
  mend: 'Look at ovn-controller on the gateway chassis, and at the tunnels (BFD) between the chassis.',
  explains: of(
    'port',
    'OSD-PING-002',
    'OSD-PING-003',
    'OSD-PING-004',
    'OSD-TCP-002',
    'OSD-PATH-*',
    'OSD-MTU-001',
    ...seen,
  ),
  refs: ['https://docs.openstack.org/neutron/latest/admin/ovn/routing.html'],
};

export const gatewayFailedOver: FindingSpec = {
  code: 'OSD-OVN-052',
  severity: 'warning',
  nature: 'symptom',
  title: "Another chassis than the first holds the router's gateway",
  meaning:
    'The gateway moved to a chassis of lower priority: the first one is dead, or the others do not see it (BFD). Traffic goes on over the other one.',
  evidence: 'Port_Binding of cr-lrp-<port id> against the priorities of the gateway chassis.',
  mend: 'Mend the first chassis; the gateway moves back by itself.',
  explains: [],
  refs: ['https://docs.openstack.org/neutron/latest/admin/ovn/routing.html'],
};

export const candidateUnfit: FindingSpec = {
  code: 'OSD-OVN-053',
  severity: 'error',
  nature: 'cause',
  title: 'A chassis that must lead outside has no way there',
  meaning:
    'A gateway chassis (or, with distributed floating IPs, the chassis of the instance) has no bridge mapping for the physical network of the external network.',
  evidence: 'ovn-bridge-mappings and ovn-cms-options of the chassis in the Southbound against the external network.',
  mend: 'Map the physical network to its bridge on that chassis (external_ids:ovn-bridge-mappings), or schedule another one.',
  explains: beyond,
  refs: ['https://man7.org/linux/man-pages/man8/ovn-controller.8.html'],
};

export const neighbourWrong: FindingSpec = {
  code: 'OSD-OVN-054',
  severity: 'error',
  nature: 'cause',
  title: 'The router knows its gateway outside by a wrong MAC address',
  meaning:
    'MAC_Binding (learnt) or Static_MAC_Binding (set by hand) leads packets for the gateway to a MAC that does not have its address.',
  evidence:
    'MAC_Binding of the Southbound and Static_MAC_Binding of the Northbound against who answers ARP on the wire.',
  mend: 'Delete the row: the router asks anew. Find who answered wrongly.',
  explains: beyond,
  refs: [southbound],
};

/** The code of each kind of difference. */
export const specOf: Readonly<Record<DifferenceKind, FindingSpec>> = {
  'port-missing': portMissing,
  'port-differs': portDiffers,
  'not-carried-over': notCarriedOver,
  'not-bound': notBound,
  'interface-wrong': interfaceWrong,
  'interface-twice': interfaceTwice,
  'switch-differs': switchDiffers,
  'localnet-differs': localnetDiffers,
  'switch-stranger': switchStranger,
  'acl-stranger': aclStranger,
  'address-set-stale': addressSetStale,
  'dhcp-unset': dhcpUnset,
  'dhcp-differs': dhcpDiffers,
  'router-missing': routerMissing,
  'router-port-differs': routerPortDiffers,
  'route-missing': routeMissing,
  'route-stranger': routeStranger,
  'nat-missing': natMissing,
  'nat-stranger': natStranger,
  'gateway-unscheduled': gatewayUnscheduled,
  'gateway-unheld': gatewayUnheld,
  'gateway-failed-over': gatewayFailedOver,
  'candidate-unfit': candidateUnfit,
  'neighbour-wrong': neighbourWrong,
};
