import type { Explains, FindingSpec } from '../../engine/finding.ts';

const last = {
  severity: 'error',
  nature: 'symptom',
  explains: [
    { code: 'OSD-PING-*', over: ['port'] },
    { code: 'OSD-CONSOLE-001', over: ['instance'] },
  ],
  refs: ['https://docs.openstack.org/operations-guide/ops-network-troubleshooting.html'],
} as const;

/** What the neighbours alone tell, where the counters tell more. */
const halves = ['OSD-PATH-003', 'OSD-PATH-004', 'OSD-PATH-005'].map((code): Explains => ({ code, over: ['port'] }));

export const guestSilent: FindingSpec = {
  ...last,
  explains: [...last.explains, ...halves],
  code: 'OSD-PATH-001',
  title: 'Packets reach the instance, and it keeps silent',
  meaning:
    'Every hop up to the tap passed the probes on, and the instance sent nothing back: its own firewall, its address, or its kernel.',
  evidence: 'the counters of the tap around the probes.',
  mend: 'Look inside the instance (its console): address, route, firewall.',
};

export const lostBetween: FindingSpec = {
  ...last,
  explains: [...last.explains, ...halves],
  code: 'OSD-PATH-002',
  title: 'Packets are lost between two hops, and nothing we can see took them',
  meaning: 'The probes were counted at one hop and not at the next; no rule, flow or device counter in between rose.',
  evidence: 'the counters of every hop around the probes.',
  mend: 'Capture on both hops to see which of the two is right: `ostk-doctor trace` does.',
};

const howToRead =
  'the matrix of the report: rows are who was pinged, columns from where. One answer of a neighbour proves everything it shares with the instance (sender, tunnel, host); a silence proves little, for the neighbour may be off. Two neighbours that disagree lower the confidence.';

export const instanceSide: FindingSpec = {
  ...last,
  code: 'OSD-PATH-003',
  title: 'Only this instance is silent',
  meaning:
    "Neighbours of the same network answer the same senders, so what they share with it works: the sick half is the instance's side (its port, tap, rules, guest; its host too when no neighbour on it could be asked).",
  evidence: howToRead,
  mend: "Compare this port with a neighbour's on the same host: binding, tap, bridge or tag, rules, and the guest's own firewall (its console).",
};

export const hostSide: FindingSpec = {
  ...last,
  code: 'OSD-PATH-004',
  title: 'Every instance of the network on this host is silent',
  meaning:
    'Neighbours on other hosts answer and none on this host does: the sick half is the host, its L2 agent, its end of the tunnel, or a firewall on it or on its way.',
  evidence: howToRead,
  mend: "Look at the host's tunnel endpoint and underlay address, its L2 agent and its own firewall, and at what the other hosts know of it.",
};

export const networkSide: FindingSpec = {
  ...last,
  code: 'OSD-PATH-005',
  title: 'No instance of the network answers',
  meaning:
    'Not only this instance but its neighbours are silent towards the same sender: the sick half is the sending namespace, its network node, or the segment as a whole.',
  evidence: howToRead,
  mend: 'Look at the namespace that pings (interface, address, rules), how it is plugged in on its node, and the tunnels of that node.',
};

export const countedAway: FindingSpec = {
  ...last,
  explains: [
    ...last.explains,
    ...halves,
    { code: 'OSD-PATH-002', over: ['port'] },
    { code: 'OSD-MTU-001', over: ['port'] },
  ],
  code: 'OSD-PATH-006',
  title: 'A counter of the path rose by as many packets as were lost',
  meaning:
    'A drop counter of a network stack, an interface, a queue, a rule or a flow on the path rose by the number of packets that got no answer, in two repetitions with different numbers: this is where they end. Why is told by what the counter counts.',
  evidence: 'the counter in three readings, around two repetitions of the pings with different numbers of packets.',
  mend: 'See what the counter stands for (nstat, ip -s link, the rule itself) and mend that.',
};

export const serviceSilent: FindingSpec = {
  ...last,
  explains: [...last.explains, ...halves],
  code: 'OSD-PATH-008',
  title: 'The request of the instance comes to the service, and the service does not serve it',
  meaning:
    'A DHCP request, or the first packet of a connection to 169.254.169.254, was seen at the device of the namespace that has to answer it, and no answer left it (or a refusal): the path is well, and what is behind its last device is not (the process, a rule inside the namespace, an entry that is missing).',
  evidence: 'the captures on both sides of the last device.',
  mend: 'Look into the namespace: who listens there, which rules stand in its way, what the log of the service says of the request.',
};

export const switchRefuses: FindingSpec = {
  ...last,
  explains: last.explains,
  code: 'OSD-PATH-009',
  title: 'The flows of a switch drop what the instance asks for first',
  meaning:
    'Asked about a DHCP request of the instance (or the first packet of its connection to 169.254.169.254) as it enters at its port, Open vSwitch says that its flows drop it. No packet was sent for this.',
  evidence: 'what `ovs-appctl ofproto/trace` says of the request (without -generate: nothing is changed).',
  mend: "See who made the flow at which it ends: one that Neutron does not know is deleted; where Neutron's own are missing, restart the L2 agent of the host.",
};

export const switchDisagrees: FindingSpec = {
  ...last,
  explains: [...last.explains, ...halves, { code: 'OSD-PATH-002', over: ['port'] }],
  code: 'OSD-PATH-007',
  title: 'The switch would pass the packet on, and the packet does not come out',
  meaning:
    'Packets were seen at a port of Open vSwitch and never behind it, though its flows, asked about exactly this packet, let it out. What takes it stands before the flows (a filter on the device, a port that the switch no longer reads since the device was made again), in the datapath, or behind the port it leaves by.',
  evidence:
    'the captures on both sides, and what `ovs-appctl ofproto/trace` says of the same packet (without -generate: nothing is changed).',
  mend: "See whether the counters of the port rise with what its device sends: where they stand still the switch does not read it, and plugging it in again helps (for an instance: a hard reboot). Where they rise, look at the datapath's own counters and at the device it leaves by.",
};
