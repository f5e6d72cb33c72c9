import type { Explains, FindingSpec } from '../../engine/finding.ts';
import type { Oddity } from '../../path/ovn/compare-walks.ts';

/** Why a flow is none of ovn-controller's. */
export const oddityWords: Readonly<Record<Oddity, string>> = {
  'no-cookie': 'it has no cookie, and is none of the few that ovn-controller makes without',
  'no-row': 'no row of the southbound database has its cookie',
  'not-as-row': 'the row that its cookie names makes another flow',
};

const ofPort = (...codes: readonly string[]): readonly Explains[] => codes.map((code) => ({ code, over: ['port'] }));

/** What is seen of packets that a layer takes away. */
const unheard: readonly Explains[] = [
  ...ofPort('OSD-PING-*', 'OSD-PATH-*', 'OSD-TCP-*', 'OSD-GUEST-*', 'OSD-MTU-*', 'OSD-PEER-*'),
  { code: 'OSD-CONSOLE-*', over: ['instance'] },
];
const packets = ofPort('OSD-OVN-065');
/** The same of what is a symptom itself: symptoms alone. */
const symptoms: readonly Explains[] = [
  ...ofPort('OSD-PING-*', 'OSD-PATH-*', 'OSD-TCP-002', 'OSD-MTU-001', 'OSD-PEER-002', 'OSD-OVN-065'),
  { code: 'OSD-CONSOLE-001', over: ['instance'] },
  { code: 'OSD-CONSOLE-003', over: ['instance'] },
];

const man = (page: string, section: number): string =>
  `https://man7.org/linux/man-pages/man${section}/${page}.${section}.html`;
const refs = [man('ovn-trace', 8), man('ovs-vswitchd', 8), man('ovn-architecture', 7)];

export const logicalDrop: FindingSpec = {
  code: 'OSD-OVN-060',
  severity: 'error',
  nature: 'symptom',
  title: "OVN's logical flows drop what Neutron's API lets through",
  meaning:
    'Asked about a packet that the security groups, routes and addresses in the API let through, the logical flows of the southbound database drop it: a row of the northbound database is missing, or one is there that Neutron did not order. The chassis do as they are told.',
  evidence:
    '`ovn-trace` of the packet: the stage at which it ends, and the row of the northbound database that the flow was made of.',
  mend: 'Compare the row that is named with what Neutron ordered; `neutron-ovn-db-sync-util` (mode log first) tells all that differs.',
  explains: symptoms,
  refs,
};

export const handFlow: FindingSpec = {
  code: 'OSD-OVN-061',
  severity: 'error',
  nature: 'cause',
  title: 'A flow that OVN did not make takes packets of the instance',
  meaning:
    'Open vSwitch, asked about a packet of the instance, says that it ends at (or is led away by) a flow that no row of the southbound database explains: its cookie is none of theirs, or that of a row which makes another flow. ovn-controller does not touch flows that it did not make.',
  evidence:
    'what `ovs-appctl ofproto/trace` says of the packet (nothing is sent or changed), and the row that the cookie names, if any.',
  mend: 'Ask who made the flow, then delete it; make sure that the tool that made it does not make it again.',
  explains: [
    ...unheard,
    ...packets,
    ...ofPort('OSD-OVN-060', 'OSD-OVN-062', 'OSD-OVN-063'),
    { code: 'OSD-HOST-014', over: ['port', 'host'] },
    { code: 'OSD-HOST-015', over: ['port', 'host'] },
    { code: 'OSD-OVN-064', over: ['port', 'host'] },
    { code: 'OSD-TUNNEL-*', over: ['host'] },
  ],
  refs: [man('ovs-ofctl', 8), man('ovs-vswitchd', 8)],
};

export const flowMissing: FindingSpec = {
  code: 'OSD-OVN-062',
  severity: 'error',
  nature: 'cause',
  title: 'A chassis lacks a flow that OVN ordered',
  meaning:
    'The logical flows of the southbound database deliver the packet, and the flows of the chassis do not: the flow that should take it is not in the integration bridge. Somebody deleted it, or ovn-controller never made it. What it has made once it believes to be there.',
  evidence:
    '`ovn-trace` and `ovs-appctl ofproto/trace` of the same packet: the first logical flow that the chassis did not use.',
  mend: 'Restart ovn-controller on the chassis: it then compares all flows. Traffic goes on while it restarts (exit --restart).',
  explains: [...unheard, ...packets, ...ofPort('OSD-OVN-063')],
  refs: [man('ovn-controller', 8), man('ovn-trace', 8)],
};

export const chassisDrops: FindingSpec = {
  code: 'OSD-OVN-063',
  severity: 'error',
  nature: 'symptom',
  title: "The flows of a chassis drop what Neutron's API lets through",
  meaning:
    'Open vSwitch, asked about a packet that the API lets through, says that its flows drop it. Whether the southbound database wants that could not be told.',
  evidence: 'what `ovs-appctl ofproto/trace` says of the packet.',
  mend: 'See what the southbound database says of the same packet (ovn-trace): the layer that differs first is the one to mend.',
  explains: symptoms,
  refs,
};

export const fromMetadata: FindingSpec = {
  code: 'OSD-OVN-065',
  severity: 'error',
  nature: 'symptom',
  title: 'The instance does not answer a ping from the metadata namespace of its host',
  meaning:
    'The namespace ovnmeta-NETWORK of the same chassis has a port in the network, and what it sends to the instance never leaves the host: flows of the integration bridge, the tap, or the guest itself do not let a ping through that the security groups let in.',
  evidence: 'ping inside the namespace, and what its neighbour table says of the address.',
  mend: 'What explains it is named beside it. With nothing else wrong, look inside the guest: its address, its firewall.',
  explains: ofPort('OSD-PING-004', 'OSD-TCP-002'),
  refs: ['https://docs.openstack.org/neutron/latest/contributor/internals/ovn/metadata_api.html'],
};

export const foreignFlow: FindingSpec = {
  code: 'OSD-OVN-064',
  severity: 'warning',
  nature: 'cause',
  title: 'A flow of the integration bridge belongs to no row of OVN',
  meaning:
    'A flow that drops packets or leads them away has a cookie that no row of the southbound database begins with, and it could take packets of this instance; none of those that were asked about met it.',
  evidence: 'the flow with its counter, and the search for its cookie in the southbound database.',
  mend: 'Ask who made the flow, and whether it is meant for instances.',
  explains: ofPort('OSD-TCP-*'),
  refs: [man('ovs-ofctl', 8), man('ovn-sb', 5)],
};
