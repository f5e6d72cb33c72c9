import type { Explains, FindingSpec } from '../../engine/finding.ts';

const ofPort = (...codes: string[]): Explains[] => codes.map((code) => ({ code, over: ['port'] }));
const ofInstance = (...codes: string[]): Explains[] => codes.map((code) => ({ code, over: ['instance'] }));

export const domainNotRunning: FindingSpec = {
  code: 'OSD-HOST-001',
  severity: 'error',
  nature: 'cause',
  title: 'The instance does not run on its host, though Nova says it does',
  meaning: 'libvirt has no running domain for it: it was shut down from inside or behind Nova, or QEMU died.',
  evidence: "virsh domstate of the instance's domain on its host, against the status in Nova.",
  mend: 'Start it through Nova; look at /var/log/libvirt/qemu for why it ended.',
  explains: [
    ...ofInstance(
      'OSD-HOST-002',
      'OSD-HOST-003',
      'OSD-HOST-004',
      'OSD-PORT-004',
      'OSD-PING-*',
      'OSD-PATH-*',
      'OSD-CONSOLE-*',
      'OSD-MTU-*',
      'OSD-SG-*',
      'OSD-L2-*',
      'OSD-TUNNEL-002',
    ),
  ],
  refs: [],
};

export const deviceMissing: FindingSpec = {
  code: 'OSD-HOST-002',
  severity: 'error',
  nature: 'cause',
  title: 'A device of the port is missing on its host',
  meaning:
    'A tap, bridge, veth end or segment device that the backend makes for this port is not there: the way is cut.',
  evidence: 'ip link (and OVSDB) of the host against what the backend makes for this port.',
  mend: 'Restart the L2 agent of the host; when the tap itself is missing, hard-reboot the instance.',
  explains: [
    ...ofPort(
      'OSD-PORT-004',
      'OSD-PING-*',
      'OSD-PATH-*',
      'OSD-MTU-*',
      'OSD-TUNNEL-001',
      'OSD-TUNNEL-002',
      'OSD-SG-003',
    ),
    ...ofInstance('OSD-CONSOLE-*'),
  ],
  refs: ['https://docs.openstack.org/operations-guide/ops-network-troubleshooting.html'],
};

export const notPlugged: FindingSpec = {
  code: 'OSD-HOST-003',
  severity: 'error',
  nature: 'cause',
  title: 'A device of the port is not in its bridge',
  meaning: 'The device exists, but it is plugged into no bridge, or into another one: packets end at it.',
  evidence: 'the master of the device (ip link), or its bridge in OVSDB, against what the backend promises.',
  mend: 'Plug it in again, or hard-reboot the instance so that Nova does.',
  explains: [
    ...ofPort(
      'OSD-PORT-004',
      'OSD-PING-*',
      'OSD-PATH-*',
      'OSD-MTU-*',
      'OSD-TUNNEL-001',
      'OSD-L2-*',
      'OSD-SG-003',
      'OSD-TUNNEL-002',
    ),
    ...ofInstance('OSD-CONSOLE-*'),
  ],
  refs: ['https://docs.openstack.org/operations-guide/ops-network-troubleshooting.html'],
};

export const deviceDown: FindingSpec = {
  code: 'OSD-HOST-004',
  severity: 'error',
  nature: 'cause',
  title: 'A device of the port is down',
  meaning: 'The interface is administratively down, or nothing is plugged in at its other end.',
  evidence: 'flags UP and LOWER_UP of the device.',
  mend: 'Set the device up; when it goes down again, look for what sets it (the agent, a network manager).',
  explains: [
    ...ofPort(
      'OSD-PORT-004',
      'OSD-PING-*',
      'OSD-PATH-*',
      'OSD-MTU-*',
      'OSD-TUNNEL-001',
      'OSD-TUNNEL-002',
      'OSD-SG-003',
    ),
    ...ofInstance('OSD-CONSOLE-*'),
  ],
  refs: [],
};

export const strangersRule: FindingSpec = {
  code: 'OSD-HOST-014',
  severity: 'error',
  nature: 'cause',
  title: 'Packets of the instance are dropped by a rule that Neutron did not make',
  meaning:
    'A rule that no agent, libvirt or container engine owns matches traffic of this instance and drops or rejects it.',
  evidence: 'the rule itself with its counter, and how far the counter rose while probes were sent.',
  mend: 'Ask who made the rule, then delete it; make sure that the tool that made it does not make it again.',
  explains: [
    ...ofPort('OSD-PING-*', 'OSD-TCP-*', 'OSD-PATH-*', 'OSD-MTU-*', 'OSD-TUNNEL-004'),
    ...ofInstance('OSD-CONSOLE-*'),
    { code: 'OSD-META-*', over: ['host'] },
    { code: 'OSD-PING-003', over: ['host'] },
    { code: 'OSD-AGENT-003', over: ['host'] },
  ],
  refs: [],
};

export const strangerIdle: FindingSpec = {
  code: 'OSD-HOST-015',
  severity: 'warning',
  nature: 'cause',
  title: 'A rule that Neutron did not make could drop packets of the instance',
  meaning: 'The rule would match some traffic of this instance; none of the probes of this run met it.',
  evidence: 'the rule itself and its counter.',
  mend: 'Ask who made the rule, and whether it is meant for instances.',
  explains: [...ofPort('OSD-TCP-*')],
  refs: [],
};

export const shaped: FindingSpec = {
  code: 'OSD-HOST-021',
  severity: 'error',
  nature: 'cause',
  title: 'A limit that Neutron did not order slows the instance or drops its packets',
  meaning:
    'A queueing discipline of tc (a token bucket, netem, …) stands on a device of the path, while the port has no QoS policy: what is large or much is late or lost.',
  evidence: 'what the discipline dropped or held back while full-size pings crawled or were lost.',
  mend: 'Ask who set the limit, then delete it; give the port a QoS policy when a limit is wanted.',
  explains: [...ofPort('OSD-PING-*', 'OSD-PATH-*', 'OSD-MTU-*', 'OSD-TUNNEL-003'), ...ofInstance('OSD-CONSOLE-*')],
  refs: ['https://docs.openstack.org/neutron/latest/admin/config-qos.html'],
};

export const deadVlan: FindingSpec = {
  code: 'OSD-L2-001',
  severity: 'error',
  nature: 'cause',
  title: 'The OVS port is in the dead VLAN 4095',
  meaning:
    "The agent (or a hand) put the port's tag to 4095: br-int drops everything from it. The agent does so with ports it cannot match to a Neutron port it may wire.",
  evidence: "tag of the port in OVSDB against the tag of the network's other ports on the host.",
  mend: 'Restart the OVS agent of the host so that it wires the port again.',
  explains: [
    ...ofPort('OSD-PORT-004', 'OSD-PING-*', 'OSD-PATH-*', 'OSD-MTU-*', 'OSD-ROUTER-*', 'OSD-DHCP-*', 'OSD-META-*'),
    { code: 'OSD-TUNNEL-002', over: ['host', 'port'] },
    ...ofInstance('OSD-CONSOLE-*'),
  ],
  refs: ['https://docs.openstack.org/neutron/latest/contributor/internals/openvswitch_agent.html'],
};

export const wrongTag: FindingSpec = {
  code: 'OSD-L2-002',
  severity: 'error',
  nature: 'cause',
  title: 'The OVS port has no tag, or not the one of its network',
  meaning:
    "The local VLAN of the port differs from the one the agent chose for its network on this host: it is in no network or in a stranger's.",
  evidence: "tag of the port against the tag in its other_config and of the network's other ports on the host.",
  mend: 'Restart the OVS agent of the host so that it wires the port again.',
  explains: [
    ...ofPort('OSD-PORT-004', 'OSD-PING-*', 'OSD-PATH-*', 'OSD-MTU-*', 'OSD-SG-003'),
    { code: 'OSD-TUNNEL-002', over: ['host', 'port'] },
    ...ofInstance('OSD-CONSOLE-*'),
  ],
  refs: [],
};

export const noOfport: FindingSpec = {
  code: 'OSD-L2-003',
  severity: 'error',
  nature: 'cause',
  title: 'OVS could not open the device of the port',
  meaning:
    'The row is in OVSDB, but the switch has no such device (ofport -1): a left-over, or the device was made again under its feet.',
  evidence: 'ofport and error of the interface in OVSDB.',
  mend: 'Hard-reboot the instance so that the device is plugged again; delete the row when no instance owns it.',
  explains: [
    ...ofPort('OSD-PORT-004', 'OSD-PING-*', 'OSD-PATH-*', 'OSD-MTU-*', 'OSD-SG-003'),
    ...ofInstance('OSD-CONSOLE-*'),
  ],
  refs: [],
};

export const notJoined: FindingSpec = {
  code: 'OSD-L2-004',
  severity: 'error',
  nature: 'cause',
  title: 'Two OVS bridges of the path are not joined',
  meaning:
    'The patch port between them is missing on one side, or names another peer: what one bridge sends to the other is lost. Everything on the host that goes over it is cut off.',
  evidence: 'patch interfaces of the bridges in OVSDB, each with the peer it names.',
  mend: 'Restart the OVS agent of the host: it makes the patch ports again.',
  explains: [
    ...ofPort('OSD-PORT-004', 'OSD-PING-*', 'OSD-PATH-*', 'OSD-MTU-*'),
    ...ofInstance('OSD-CONSOLE-*'),
    { code: 'OSD-TUNNEL-*', over: ['host'] },
    { code: 'OSD-META-*', over: ['host'] },
  ],
  refs: ['https://docs.openstack.org/neutron/latest/contributor/internals/openvswitch_agent.html'],
};
