import type { Explains, FindingSpec } from '../../engine/finding.ts';

const everywhere = (code: string): Explains => ({ code, over: ['run'] });
const onHost = (code: string): Explains => ({ code, over: ['host'] });
const ofPort = (code: string): Explains => ({ code, over: ['port'] });

const guide = 'https://docs.openstack.org/neutron/latest/admin/ovn/';
const refs = [`${guide}ml2ovn_trace.html`, 'https://man7.org/linux/man-pages/man7/ovn-architecture.7.html'];

/** Flows that a chassis has for the port only when its ovn-controller works, and knows the others. */
const flowsAmiss: readonly Explains[] = [ofPort('OSD-OVN-062'), ofPort('OSD-OVN-063')];
/** Who holds a port: told by the chassis themselves. */
const unheld: readonly Explains[] = [
  ofPort('OSD-OVN-033'),
  ofPort('OSD-OVN-051'),
  ofPort('OSD-OVN-052'),
  ofPort('OSD-PORT-004'),
];

/** What is seen at the instance when its packets do not come through. */
const unheard: readonly Explains[] = [
  ...flowsAmiss,
  ofPort('OSD-OVN-065'),
  ofPort('OSD-PING-*'),
  ofPort('OSD-PATH-*'),
  ofPort('OSD-TCP-*'),
  ofPort('OSD-GUEST-*'),
  ofPort('OSD-PEER-*'),
  { code: 'OSD-CONSOLE-*', over: ['instance'] },
];

/** Flows that nobody takes away any more when their rows are gone. */
const staleFlows: readonly Explains[] = [onHost('OSD-OVN-061'), onHost('OSD-OVN-064')];

/** The metadata agent serves a network where a port of it is bound. */
const unserved: readonly Explains[] = [onHost('OSD-OVN-023'), onHost('OSD-OVN-024'), onHost('OSD-META-*')];

/** What lies still on a chassis whose ovn-controller does not work. */
const chassisStill: readonly Explains[] = [
  ...unheard,
  ...staleFlows,
  onHost('OSD-OVN-004'),
  onHost('OSD-OVN-005'),
  onHost('OSD-OVN-012'),
  onHost('OSD-OVN-014'),
  onHost('OSD-OVN-017'),
  onHost('OSD-OVN-021'),
  ...unserved,
  ...unheld,
];

/** What lies still everywhere when nothing carries Neutron's orders on. */
const cloudStill: readonly Explains[] = [
  everywhere('OSD-OVN-003'),
  everywhere('OSD-OVN-004'),
  everywhere('OSD-OVN-005'),
  everywhere('OSD-OVN-009'),
  ofPort('OSD-OVN-032'),
  ...unheld,
  ...flowsAmiss,
];

export const processDown: FindingSpec = {
  code: 'OSD-OVN-001',
  severity: 'error',
  nature: 'cause',
  title: 'A daemon that OVN needs on a node does not run',
  meaning:
    'ovn-controller, the metadata agent, ovs-vswitchd or ovsdb-server has ended on the node. Flows that are installed may go on, but nothing new is wired, and what ovn-controller answers itself (DHCP, ARP of the router, neighbours) is silent.',
  evidence:
    "the state of its unit on the node; beside it what Neutron's API and the southbound database say of the chassis.",
  mend: 'Start it; look at why it ended in its log.',
  // Without ovs-vswitchd a bridge that has the tunnel's address answers nobody.
  explains: [...chassisStill, onHost('OSD-OVN-018')],
  refs,
};

export const frozen: FindingSpec = {
  code: 'OSD-OVN-002',
  severity: 'error',
  nature: 'cause',
  title: "A daemon of OVN's is frozen",
  meaning:
    'The process is there, but a signal (SIGSTOP) or a debugger holds it: its node calls it running, and it does nothing. What ovn-controller answers itself, DHCP above all, is silent.',
  evidence: 'state T in ps on the node; its control socket does not answer.',
  mend: 'Send it SIGCONT, or restart it; ask who stopped it.',
  explains: [...chassisStill, ...cloudStill],
  refs: ['https://man7.org/linux/man-pages/man1/ps.1.html'],
};

export const disconnected: FindingSpec = {
  code: 'OSD-OVN-003',
  severity: 'error',
  nature: 'cause',
  title: 'ovn-controller has no connection to the southbound database',
  meaning:
    'The chassis goes on with what it knew when the connection was lost: ports that are plugged, moved or changed since are not, and Neutron calls its agents dead.',
  evidence:
    '`ovn-appctl -t ovn-controller connection-status` on the node, ovn-remote of its Open vSwitch, and the newest line of its log about the connection.',
  mend: 'Open the way from the chassis to the database: a rule of the host, a wrong ovn-remote, a certificate, or a database that does not listen there.',
  explains: chassisStill,
  refs: ['https://man7.org/linux/man-pages/man8/ovn-controller.8.html'],
};

export const lagging: FindingSpec = {
  code: 'OSD-OVN-004',
  severity: 'error',
  nature: 'cause',
  title: 'A chassis does not keep up with the southbound database',
  meaning:
    'ovn-controller (or the metadata agent) runs, and does not answer the last change, though some seconds have passed: it hangs, or cannot write to the database. Neutron calls it dead.',
  evidence: 'nb_cfg of the chassis in Chassis_Private against nb_cfg of SB_Global, looked at twice.',
  mend: 'Look at its log on the node; restart it when it says nothing.',
  explains: [onHost('OSD-OVN-005'), ofPort('OSD-PORT-004'), ...unheard, ...staleFlows],
  refs,
};

export const deadUnseen: FindingSpec = {
  code: 'OSD-OVN-005',
  severity: 'error',
  nature: 'cause',
  title: 'A chassis is dead for OpenStack, and its node could not be looked at',
  meaning: 'It does not answer the changes of the southbound database; whether its daemons run is not known.',
  evidence: 'alive=false in GET /agents.',
  mend: 'Reach the node, and look at ovn-controller and its log.',
  explains: [...unheard, ...unheld, onHost('OSD-META-*')],
  refs,
};

export const versions: FindingSpec = {
  code: 'OSD-OVN-006',
  severity: 'error',
  nature: 'cause',
  title: 'ovn-controller waits for a northd of its own version',
  meaning:
    'ovn-match-northd-version is set on the chassis, and northd is of another version: until they agree ovn-controller processes no change of the southbound database.',
  evidence:
    'ovn-match-northd-version in the external_ids of its Open vSwitch, the versions of ovn-controller and of northd (northd_internal_version in SB_Global), and its log.',
  mend: 'Bring both to the same version, or clear ovn-match-northd-version, which is meant for the time of an upgrade.',
  explains: chassisStill,
  refs: ['https://docs.ovn.org/en/latest/intro/install/ovn-upgrades.html'],
};

export const northdStopped: FindingSpec = {
  code: 'OSD-OVN-007',
  severity: 'error',
  nature: 'cause',
  title: 'ovn-northd does not run, or is paused',
  meaning:
    'Nothing carries changes from the northbound to the southbound database: what works goes on, and whatever Neutron orders from now on has no effect on any chassis.',
  evidence: 'the state of its unit, `ovn-appctl -t ovn-northd status`, and nb_cfg against sb_cfg in NB_Global.',
  mend: 'Start it, or resume it.',
  explains: cloudStill,
  refs: ['https://man7.org/linux/man-pages/man8/ovn-northd.8.html'],
};

export const databaseDown: FindingSpec = {
  code: 'OSD-OVN-008',
  severity: 'error',
  nature: 'cause',
  title: "A database of OVN's does not run",
  meaning:
    'The northbound database takes what Neutron orders, the southbound database gives it to the chassis. Without them traffic goes on as it was, and nothing can be changed. Debian and Ubuntu stop both databases together with ovn-northd.',
  evidence: 'the state of its unit on the host of the control plane, and what its clients get.',
  mend: 'Start the database, then ovn-northd.',
  explains: [...cloudStill, everywhere('OSD-OVN-007')],
  refs: ['https://man7.org/linux/man-pages/man1/ovsdb-server.1.html'],
};

export const northdBehind: FindingSpec = {
  code: 'OSD-OVN-009',
  severity: 'error',
  nature: 'cause',
  title: 'ovn-northd is behind the northbound database',
  meaning:
    'What Neutron ordered has not come to the southbound database though some seconds have passed: northd hangs, has lost a database, or none of them holds the lock.',
  evidence: 'nb_cfg and sb_cfg of NB_Global, looked at twice.',
  mend: "Look at northd's log and at `ovn-appctl -t ovn-northd status` on the hosts of the control plane.",
  explains: [everywhere('OSD-OVN-004'), everywhere('OSD-PORT-004')],
  refs: ['https://man7.org/linux/man-pages/man8/ovn-northd.8.html'],
};

export const noLeader: FindingSpec = {
  code: 'OSD-OVN-010',
  severity: 'error',
  nature: 'cause',
  title: "A cluster of OVN's databases has no leader",
  meaning:
    'Less than half of the members hear one another: the database can be read, and takes no writes. Neutron orders nothing, chassis claim nothing.',
  evidence: '`cluster/status` of the members.',
  mend: 'Bring the missing members back; a member that was wiped has to join the cluster anew.',
  explains: cloudStill,
  refs: ['https://man7.org/linux/man-pages/man7/ovsdb.7.html'],
};

export const readOnly: FindingSpec = {
  code: 'OSD-OVN-011',
  severity: 'error',
  nature: 'cause',
  title: 'The southbound database takes no writes from the chassis',
  meaning:
    'The entry by which it listens is marked read_only: chassis see every change and can neither claim ports nor report. Neutron calls all of them dead.',
  evidence: 'read_only in the table Connection of the southbound database.',
  mend: 'Take the mark away.',
  explains: [...cloudStill, everywhere('OSD-OVN-012')],
  refs: ['https://man7.org/linux/man-pages/man5/ovn-sb.5.html'],
};

export const unregistered: FindingSpec = {
  code: 'OSD-OVN-012',
  severity: 'error',
  nature: 'cause',
  title: 'A host of the path is no chassis of the southbound database',
  meaning:
    'No row of Chassis has its system-id: no other chassis has a tunnel to it, and no port is bound to it. An orderly stop of ovn-controller takes the row away, and it cannot register while another chassis holds its tunnel address.',
  evidence: 'the rows of Chassis and Encap against system-id and ovn-encap-ip in the Open vSwitch of the node.',
  mend: 'Start ovn-controller there; delete the row that holds its tunnel address, when that host is no more.',
  explains: [...unheard, ...unheld, ...staleFlows, ...unserved, onHost('OSD-OVN-017')],
  refs,
};

export const otherName: FindingSpec = {
  code: 'OSD-OVN-013',
  severity: 'error',
  nature: 'cause',
  title: 'A chassis is registered under another host name than Nova and Neutron use',
  meaning:
    'Neutron asks for the port on the host that Nova names (requested-chassis), and ovn-controller takes it only when that is the name of its chassis: it releases the port.',
  evidence:
    'hostname in the row of Chassis, and in the external_ids of the Open vSwitch of the node, against the host of the binding.',
  mend: 'Set external_ids:hostname to the name that nova-compute reports under.',
  explains: [...unheard, ...unheld, ...unserved, onHost('OSD-OVN-005')],
  refs,
};

export const wrongEncap: FindingSpec = {
  code: 'OSD-OVN-014',
  severity: 'error',
  nature: 'cause',
  title: "A chassis' tunnel end is not what its host has",
  meaning:
    'The other chassis send to the address and with the encapsulation that the southbound database names for it: an address that the host does not have, another type than theirs, or the address of another chassis.',
  evidence: 'the rows of Encap, ovn-encap-ip and ovn-encap-type of the node, and the addresses of its interfaces.',
  mend: 'Set ovn-encap-ip (ovn-encap-type) on the node to what it has; delete chassis that are no more.',
  explains: [
    ...unheard,
    onHost('OSD-OVN-017'),
    onHost('OSD-OVN-018'),
    onHost('OSD-OVN-019'),
    onHost('OSD-OVN-012'),
    onHost('OSD-OVN-021'),
  ],
  refs,
};

export const mappings: FindingSpec = {
  code: 'OSD-OVN-015',
  severity: 'error',
  nature: 'cause',
  title: 'A chassis that serves a provider network has no working bridge for it',
  meaning:
    'ovn-bridge-mappings lacks the physical network, or maps it to a bridge that does not exist: ovn-controller makes no patch to it, and packets of the network end in the integration bridge.',
  evidence:
    'ovn-bridge-mappings of the node against network_name of the localnet port, and the bridges of its Open vSwitch.',
  mend: 'Correct ovn-bridge-mappings on the node, or make the bridge.',
  explains: [...unheard, onHost('OSD-ROUTER-*'), ...unheld],
  refs,
};

export const otherBridge: FindingSpec = {
  code: 'OSD-OVN-016',
  severity: 'error',
  nature: 'cause',
  title: 'ovn-controller works on another integration bridge than the instances are in',
  meaning:
    'external_ids:ovn-bridge names one bridge, and the taps are plugged into another: ovn-controller does not see them, and its flows are where nobody is.',
  evidence: 'ovn-bridge of the node, and the bridge that holds the tap of the instance.',
  mend: 'Correct external_ids:ovn-bridge (br-int when it is left out).',
  explains: [...unheard, ...unheld, ofPort('OSD-L2-*'), ofPort('OSD-OVN-034'), onHost('OSD-OVN-017'), ...unserved],
  refs,
};

export const tunnelMissing: FindingSpec = {
  code: 'OSD-OVN-017',
  severity: 'error',
  nature: 'cause',
  title: 'A chassis has no tunnel to another one',
  meaning:
    'ovn-controller makes a tunnel port for every other chassis of its transport zone. This one is missing, cannot be opened, or leads to another address than the far chassis has.',
  evidence:
    'the tunnel ports of the integration bridge (ovn-chassis-id, remote_ip) against the rows of Chassis and Encap.',
  mend: 'Restart ovn-controller on the node; correct transport zones and the types of encapsulation where they differ.',
  explains: [...unheard, { code: 'OSD-OVN-019', over: ['link'] }, { code: 'OSD-OVN-021', over: ['link'] }],
  refs,
};

export const underlayDead: FindingSpec = {
  code: 'OSD-OVN-018',
  severity: 'error',
  nature: 'cause',
  title: 'Two chassis do not reach each other on the underlay',
  meaning: 'A plain ping between their tunnel addresses is not answered: no tunnel can work between them.',
  evidence: 'ping between the tunnel addresses, the addresses and the interfaces of both hosts.',
  mend: 'Mend the interface, the route or the switch between them.',
  explains: [...unheard, { code: 'OSD-OVN-019', over: ['link'] }, { code: 'OSD-OVN-021', over: ['link'] }],
  refs,
};

export const tunnelBlocked: FindingSpec = {
  code: 'OSD-OVN-019',
  severity: 'error',
  nature: 'cause',
  title: 'Tunnel packets between two chassis are lost',
  meaning:
    'The tunnel addresses ping each other, and packets of the tunnel (UDP 6081 for Geneve, 4789 for VXLAN) are taken away: by a rule of one of the hosts, by a flow of its underlay bridge, or by what lies between.',
  evidence:
    'rules and flows that no program of OpenStack made and that take such packets; counters of both ends of the tunnel while packets are sent.',
  mend: 'Delete the rule; else open the UDP port between the tunnel addresses.',
  explains: [...unheard, { code: 'OSD-OVN-021', over: ['link'] }],
  refs,
};

export const underlayMtu: FindingSpec = {
  code: 'OSD-OVN-020',
  severity: 'error',
  nature: 'cause',
  title: 'The underlay is too small for full-size packets of the network',
  meaning:
    'A packet of the size of the network’s MTU does not fit the underlay with its tunnel header (58 bytes for Geneve over IPv4): small packets pass, large ones vanish.',
  evidence:
    'a ping that must not be fragmented between the tunnel addresses, as large as a full-size packet with its header.',
  mend: 'Raise the MTU of the underlay, or lower that of the network.',
  explains: [ofPort('OSD-MTU-*'), { code: 'OSD-TUNNEL-003', over: ['port'] }],
  refs: ['https://docs.openstack.org/neutron/latest/admin/config-mtu.html'],
};

export const bfdDown: FindingSpec = {
  code: 'OSD-OVN-021',
  severity: 'warning',
  nature: 'symptom',
  title: 'BFD of a tunnel between chassis is down',
  meaning:
    'The two ends do not hear each other through the tunnel; gateway ports move away from a chassis that nobody hears.',
  evidence: 'bfd_status of the tunnel port on the node.',
  mend: 'Find what takes the packets of the tunnel.',
  explains: [],
  refs: ['https://man7.org/linux/man-pages/man5/ovs-vswitchd.conf.db.5.html'],
};

export const twoOfOneName: FindingSpec = {
  code: 'OSD-OVN-022',
  severity: 'error',
  nature: 'cause',
  title: 'Two chassis are registered under one host name',
  meaning:
    'A node that was installed anew, or whose system-id changed, left its old row behind. Neutron may take the one or the other for the host, and schedules gateways to a chassis that is no more.',
  evidence: 'two rows of Chassis with the same hostname, and the system-id of the node.',
  mend: 'Delete the row whose name is not the system-id of the node.',
  explains: [onHost('OSD-OVN-005'), ...unheld],
  refs,
};

const withoutMetadata: readonly Explains[] = [
  { code: 'OSD-CONSOLE-003', over: ['instance'] },
  { code: 'OSD-META-001', over: ['host'] },
  { code: 'OSD-PATH-008', over: ['agent'] },
];

export const namespaceMissing: FindingSpec = {
  code: 'OSD-OVN-023',
  severity: 'error',
  nature: 'cause',
  title: 'The metadata namespace of the network is missing on the chassis',
  meaning:
    'The metadata agent makes a namespace for each network that has an instance on its host. Without it requests to 169.254.169.254 have nobody to go to.',
  evidence: 'the namespaces of the host, and the metadata port (network:distributed) of the network.',
  mend: 'Restart the metadata agent of the host: it makes what is missing.',
  explains: withoutMetadata,
  refs: [
    `${guide}features.html`,
    'https://docs.openstack.org/neutron/latest/contributor/internals/ovn/metadata_api.html',
  ],
};

export const metadataUnplugged: FindingSpec = {
  code: 'OSD-OVN-024',
  severity: 'error',
  nature: 'cause',
  title: 'The metadata namespace is not joined to its network',
  meaning:
    'The end of the namespace is in no bridge or stands for another port, or the addresses that instances ask for are not in it: OVN leads requests there, and nobody takes them.',
  evidence: 'the tap of the namespace in Open vSwitch with its iface-id, and the addresses in the namespace.',
  mend: 'Restart the metadata agent of the host: it makes the namespace again.',
  explains: withoutMetadata,
  refs: ['https://docs.openstack.org/neutron/latest/contributor/internals/ovn/metadata_api.html'],
};

export const notListening: FindingSpec = {
  code: 'OSD-OVN-025',
  severity: 'error',
  nature: 'cause',
  title: 'The southbound database does not listen where the chassis look for it',
  meaning:
    'It runs and answers at its own socket, and no entry of its table Connection has the port that ovn-remote of the chassis names: all of them are refused, and go on with what they knew.',
  evidence:
    'the table Connection, ovn-remote of the chassis, and connections that are refused in the log of ovn-controller.',
  mend: 'Add the entry again (ovn-sbctl set-connection).',
  explains: cloudStill,
  refs: ['https://man7.org/linux/man-pages/man5/ovn-sb.5.html'],
};
