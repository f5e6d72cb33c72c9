import type { Explains, FindingSpec } from '../../engine/finding.ts';

const cut: readonly Explains[] = [
  { code: 'OSD-PING-001', over: ['port'] },
  { code: 'OSD-PING-002', over: ['port'] },
  { code: 'OSD-PING-004', over: ['port'] },
  { code: 'OSD-PING-005', over: ['port'] },
  { code: 'OSD-PATH-*', over: ['port'] },
  { code: 'OSD-MTU-001', over: ['port'] },
  { code: 'OSD-CONSOLE-*', over: ['instance'] },
];

const refs = ['https://docs.openstack.org/neutron/latest/admin/intro-overlay-protocols.html'];

export const blockedTunnel: FindingSpec = {
  code: 'OSD-TUNNEL-001',
  severity: 'error',
  nature: 'cause',
  title: 'Tunnel packets do not pass between two hosts',
  meaning:
    'The hosts reach each other on the underlay, but encapsulated packets sent by one never come out of the tunnel of the other: a filter on a host or in the network between drops them.',
  evidence:
    'counters of the tunnel on both sides around a probe, the rule that took the packets where one rose, and a plain ping between the tunnel endpoints.',
  mend: 'Open the UDP port of the tunnel between the two endpoints: on the hosts, and on what lies between them.',
  explains: cut,
  refs,
};

export const noEntry: FindingSpec = {
  code: 'OSD-TUNNEL-002',
  severity: 'error',
  nature: 'cause',
  title: 'A host has no tunnel or forwarding entry towards another',
  meaning:
    'The host does not know to which endpoint packets for the instance (or broadcasts of its network) must be sent: they leave nowhere.',
  evidence:
    "the forwarding entries of the segment's VXLAN device, or the tunnel ports and flows of br-tun, against the endpoints that the agents report.",
  mend: 'Restart the L2 agent of the host that lacks the entry (and that of the other one when it still does not come).',
  explains: [...cut, { code: 'OSD-TUNNEL-001', over: ['link'] }],
  refs: [...refs, 'https://docs.openstack.org/neutron/latest/contributor/internals/l2_agents.html'],
};

export const underlayMtu: FindingSpec = {
  code: 'OSD-TUNNEL-003',
  severity: 'error',
  nature: 'cause',
  title: "The underlay does not carry the network's full-size packets",
  meaning:
    'Small packets pass and full-size ones die: the MTU of the network plus the tunnel header is more than something on the underlay takes. Sessions open and then hang.',
  evidence:
    'pings that may not be fragmented, small and full-size, through the network and between the tunnel endpoints; the MTU of every device.',
  mend: 'Raise the MTU of the underlay (devices and switch ports) or lower the MTU of the network and renew the leases.',
  explains: [{ code: 'OSD-MTU-001', over: ['port'] }],
  refs: ['https://docs.openstack.org/neutron/latest/admin/config-mtu.html'],
};

export const underlayDead: FindingSpec = {
  code: 'OSD-TUNNEL-004',
  severity: 'error',
  nature: 'cause',
  title: 'Two hosts do not reach each other on the underlay',
  meaning:
    'Not even a plain ping passes between the tunnel endpoints: cable, switch port, VLAN, route or address of the underlay.',
  evidence: 'ping between the two tunnel endpoints, and the neighbour table.',
  mend: 'Look at the link, the address and the VLAN of the tunnel interface on both hosts.',
  explains: [...cut, { code: 'OSD-TUNNEL-001', over: ['link'] }],
  refs,
};

export const wrongSegment: FindingSpec = {
  code: 'OSD-TUNNEL-005',
  severity: 'error',
  nature: 'cause',
  title: "A host carries the network under another segment or endpoint than Neutron's",
  meaning:
    'The tunnel device or the flows of the host use a VNI (or a local address) that is not the one of the API: packets are sent into another segment, and those of this one are not taken.',
  evidence:
    "the VNI and the local address of the VXLAN device, or the tunnel ids of br-tun's flows for the network's local VLAN, beside provider:segmentation_id and the agent's tunneling_ip.",
  mend: 'Let the L2 agent of the host make the device or the flows again.',
  explains: [...cut, { code: 'OSD-TUNNEL-001', over: ['link'] }, { code: 'OSD-TUNNEL-002', over: ['link'] }],
  refs: [...refs, 'https://docs.openstack.org/neutron/latest/contributor/internals/openvswitch_agent.html'],
};

export const wrongEndpoint: FindingSpec = {
  code: 'OSD-TUNNEL-006',
  severity: 'error',
  nature: 'cause',
  title: 'An L2 agent names a tunnel endpoint that the other hosts do not reach',
  meaning:
    "The agent's local_ip is an address of its host, but not the one in the network of the other endpoints: they send tunnel packets to where no way leads.",
  evidence:
    'tunneling_ip of the agent in the API, the addresses of its host, and a plain ping between the endpoints that gets no answer.',
  mend: "Set local_ip in the agent's configuration to the host's address in the underlay network, and restart the agent.",
  explains: [
    ...cut,
    ...['OSD-TUNNEL-001', 'OSD-TUNNEL-002', 'OSD-TUNNEL-004', 'OSD-TUNNEL-005'].map(
      (code): Explains => ({ code, over: ['link'] }),
    ),
    // The linuxbridge agent makes the segment's device from local_ip, or cannot.
    { code: 'OSD-HOST-002', over: ['port', 'host'] },
  ],
  refs: ['https://docs.openstack.org/neutron/latest/configuration/openvswitch-agent.html'],
};
