import type { Explains, FindingSpec, Relation } from '../../engine/finding.ts';

const api = 'https://docs.openstack.org/api-ref/network/v2/#ports';

/** What stops when a port carries nothing at all. */
const silence = [
  { code: 'OSD-PORT-004', over: ['port'] },
  { code: 'OSD-PING-*', over: ['port'] },
  { code: 'OSD-CONSOLE-*', over: ['instance'] },
  { code: 'OSD-PATH-*', over: ['port'] },
  { code: 'OSD-MTU-*', over: ['port'] },
  { code: 'OSD-GUEST-*', over: ['port'] },
] as const;

/** The devices that are gone or down when the port itself is off, unbound or elsewhere. */
const devices = (over: Relation): Explains[] =>
  ['OSD-HOST-002', 'OSD-HOST-003', 'OSD-HOST-004'].map((code) => ({ code, over: [over] }));

export const adminDown: FindingSpec = {
  code: 'OSD-PORT-001',
  severity: 'error',
  nature: 'cause',
  title: 'The port is administratively down',
  meaning: 'Somebody set admin_state_up to False: the agent takes the port off the network although the instance runs.',
  evidence: 'admin_state_up of the port.',
  mend: 'Set the port up again.',
  explains: [
    ...silence,
    ...devices('port'),
    { code: 'OSD-L2-*', over: ['port'] },
    { code: 'OSD-SG-*', over: ['port'] },
    { code: 'OSD-TUNNEL-002', over: ['port'] },
  ],
  refs: [api],
};

export const bindingFailed: FindingSpec = {
  code: 'OSD-PORT-002',
  severity: 'error',
  nature: 'cause',
  title: 'Neutron could not bind the port',
  meaning:
    'No mechanism driver could connect this port on this host: the agent there was dead, or it has no mapping for the physical network.',
  evidence: "binding:vif_type 'binding_failed', the agents of the host and their mappings.",
  mend: 'Revive the agent or give it the mapping (or choose a host that has it); then bind again by rebuilding or moving the instance.',
  explains: [
    ...silence,
    { code: 'OSD-VM-002', over: ['instance'] },
    { code: 'OSD-VM-005', over: ['instance'] },
    { code: 'OSD-SCHED-013', over: ['instance'] },
    { code: 'OSD-SCHED-014', over: ['instance'] },
    { code: 'OSD-PORT-003', over: ['port'] },
    ...devices('port'),
  ],
  refs: [api, 'https://docs.openstack.org/neutron/latest/admin/config-ml2.html'],
};

export const boundElsewhere: FindingSpec = {
  code: 'OSD-PORT-003',
  severity: 'error',
  nature: 'cause',
  title: 'The port is bound on another host than the instance',
  meaning:
    "Neutron plugs the port on one host while the instance runs on another, as after an aborted migration: the instance's host has no wiring for it.",
  evidence: "binding:host_id of the port against the instance's host, and the port's bindings.",
  mend: 'Bind the port on the host of its instance (openstack port set --host), and restart the L2 agent there so that it wires it. A hard reboot does not change the binding.',
  explains: [
    ...silence,
    ...devices('port'),
    { code: 'OSD-L2-*', over: ['port'] },
    { code: 'OSD-SG-003', over: ['port'] },
    { code: 'OSD-TUNNEL-002', over: ['port'] },
  ],
  refs: ['https://docs.openstack.org/api-ref/network/v2/#port-binding'],
};

export const portDown: FindingSpec = {
  code: 'OSD-PORT-004',
  severity: 'error',
  nature: 'symptom',
  title: 'Neutron says the port is DOWN',
  meaning: 'The agent of the host has not reported the port as wired.',
  evidence: 'status of the port while it is up and the instance is running.',
  mend: "Look at the agent of the host, and at the tap's place on its bridge.",
  explains: [
    { code: 'OSD-VM-002', over: ['instance'] },
    { code: 'OSD-CONSOLE-001', over: ['port'] },
    { code: 'OSD-PING-*', over: ['port'] },
    { code: 'OSD-PATH-*', over: ['port'] },
  ],
  refs: [api],
};

export const badAddress: FindingSpec = {
  code: 'OSD-PORT-006',
  severity: 'error',
  nature: 'cause',
  title: 'The port has no usable address',
  meaning: 'It has no fixed address, or one that lies outside its subnet.',
  evidence: 'fixed_ips of the port against the subnets of its network.',
  mend: 'Give the port an address of its subnet.',
  explains: [
    { code: 'OSD-CONSOLE-*', over: ['instance'] },
    { code: 'OSD-PING-*', over: ['port'] },
    { code: 'OSD-PATH-*', over: ['port'] },
  ],
  refs: [api],
};

export const networkDown: FindingSpec = {
  code: 'OSD-PORT-007',
  severity: 'error',
  nature: 'cause',
  title: 'The network is administratively down',
  meaning: 'admin_state_up of the network is False: agents take all its ports off, and DHCP stops.',
  evidence: 'admin_state_up of the network.',
  mend: 'Set the network up again.',
  explains: [
    ...silence,
    { code: 'OSD-DHCP-*', over: ['network'] },
    ...devices('network'),
    { code: 'OSD-META-*', over: ['network'] },
  ],
  refs: ['https://docs.openstack.org/api-ref/network/v2/#networks'],
};

export const noPort: FindingSpec = {
  code: 'OSD-PORT-008',
  severity: 'error',
  nature: 'cause',
  title: 'The instance has no port',
  meaning: 'Nothing connects it to any network.',
  evidence: 'GET /ports?device_id=… is empty.',
  mend: 'Attach a port or a network to the instance.',
  explains: [{ code: 'OSD-CONSOLE-*', over: ['instance'] }],
  refs: [api],
};

export const secondBinding: FindingSpec = {
  code: 'OSD-PORT-005',
  severity: 'warning',
  nature: 'symptom',
  title: 'The port has a second binding',
  meaning: 'A binding on another host is left over from (or belongs to) a live migration.',
  evidence: 'GET /ports/{id}/bindings lists more than one.',
  mend: 'When no migration is running, delete the inactive binding.',
  explains: [],
  refs: ['https://docs.openstack.org/api-ref/network/v2/#port-binding'],
};
