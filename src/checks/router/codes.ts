import type { Explains, FindingSpec } from '../../engine/finding.ts';

const refs = ['https://docs.openstack.org/neutron/latest/admin/intro-os-networking.html'];

/** What fails when the router does not do its part. */
const beyond: readonly Explains[] = [
  { code: 'OSD-PING-002', over: ['router'] },
  { code: 'OSD-PING-003', over: ['router'] },
  { code: 'OSD-PING-004', over: ['port'] },
  { code: 'OSD-META-*', over: ['router'] },
  { code: 'OSD-CONSOLE-003', over: ['instance'] },
  // A path that only the router's own pings die on is its own; one that other senders' die on, too, is not.
  { code: 'OSD-PATH-*', over: ['router'] },
];
const inTheNode: readonly Explains[] = ['003', '004', '005', '006', '007', '010', '012', '015'].map((n) => ({
  code: `OSD-ROUTER-${n}`,
  over: ['router'],
}));

export const notScheduled: FindingSpec = {
  code: 'OSD-ROUTER-001',
  severity: 'error',
  nature: 'cause',
  title: 'No L3 agent hosts the router',
  meaning: 'The router exists in the API only: no agent was given it.',
  evidence: 'GET /routers/{id}/l3-agents is empty.',
  mend: 'Add the router to an L3 agent that is alive.',
  explains: [...beyond, ...inTheNode],
  refs,
};

export const routerDown: FindingSpec = {
  code: 'OSD-ROUTER-002',
  severity: 'error',
  nature: 'cause',
  title: 'The router is administratively down',
  meaning: 'admin_state_up of the router is False: its agent takes the namespace and its rules away.',
  evidence: 'admin_state_up of the router.',
  mend: 'Set the router up again.',
  explains: [...beyond, ...inTheNode],
  refs,
};

export const namespaceMissing: FindingSpec = {
  code: 'OSD-ROUTER-003',
  severity: 'error',
  nature: 'cause',
  title: 'The namespace of the router is missing',
  meaning: 'Neutron counts on this host to hold the router, but it is not there.',
  evidence: 'ip netns of the host that the router is scheduled to.',
  mend: 'Restart the L3 agent of the host; it makes the namespace again.',
  explains: [
    ...beyond,
    ...['004', '005', '006', '007', '015'].map((n): Explains => ({ code: `OSD-ROUTER-${n}`, over: ['router'] })),
  ],
  refs,
};

export const interfaceDown: FindingSpec = {
  code: 'OSD-ROUTER-004',
  severity: 'error',
  nature: 'cause',
  title: 'An interface of the router is missing, down or without its address',
  meaning:
    'A qr- (inside) or qg- (outside) device in the namespace is not as Neutron made it, so the router has lost a leg.',
  evidence: 'ip link and ip addr in the namespace against the ports of the router.',
  mend: 'Set the interface up; when it or its address is missing, restart the L3 agent of the host.',
  explains: [
    ...beyond,
    { code: 'OSD-ROUTER-005', over: ['router'] },
    { code: 'OSD-ROUTER-007', over: ['router'] },
    { code: 'OSD-ROUTER-010', over: ['router'] },
  ],
  refs,
};

export const noDefaultRoute: FindingSpec = {
  code: 'OSD-ROUTER-005',
  severity: 'error',
  nature: 'cause',
  title: 'A route of the router is missing or leads astray',
  meaning:
    'The default route does not lead to the external gateway, an extra route is not there, or a route throws packets away.',
  evidence: "ip route in the namespace against the external subnet's gateway and the router's routes.",
  mend: 'Put the route back; restarting the L3 agent of the host does so too.',
  explains: beyond,
  refs,
};

export const forwardingOff: FindingSpec = {
  code: 'OSD-ROUTER-006',
  severity: 'error',
  nature: 'cause',
  title: 'The router does not forward',
  meaning: 'net.ipv4.ip_forward is 0 in the namespace: the router answers for itself, and passes nothing on.',
  evidence: 'sysctl in the namespace.',
  mend: 'Set it to 1 in the namespace; look for what resets it.',
  explains: [
    { code: 'OSD-PING-004', over: ['port'] },
    { code: 'OSD-PATH-*', over: ['router'] },
  ],
  refs,
};

export const natMissing: FindingSpec = {
  code: 'OSD-ROUTER-007',
  severity: 'error',
  nature: 'cause',
  title: 'The address translation of a floating IP is missing',
  meaning:
    'The rules that map the floating address to the fixed one (DNAT in, SNAT out) are not in the namespace, or name another address; or the address is not on the outside interface.',
  evidence: 'the nat table of the namespace against the floating IP in the API.',
  mend: 'Restart the L3 agent of the host (or detach and attach the floating IP): it writes the rules again.',
  explains: [
    { code: 'OSD-PING-004', over: ['port'] },
    { code: 'OSD-ROUTER-010', over: ['port'] },
  ],
  refs,
};

export const clientInside: FindingSpec = {
  code: 'OSD-ROUTER-008',
  severity: 'error',
  nature: 'cause',
  title: "The client's address lies inside the instance's own subnet",
  meaning:
    'The instance answers such a client directly on its own network instead of through the router: through the floating IP no reply ever comes back.',
  evidence: "the client's address (--from) against the subnet of the port.",
  mend: 'Give one of the two networks other addresses, or let the client reach the fixed address without the floating IP.',
  explains: [{ code: 'OSD-PING-004', over: ['port'] }],
  refs,
};

export const noGateway: FindingSpec = {
  code: 'OSD-ROUTER-009',
  severity: 'info',
  nature: 'symptom',
  title: 'The router has no external gateway',
  meaning: 'Instances behind it reach the networks of the router only.',
  evidence: 'external_gateway_info of the router.',
  mend: 'Set an external gateway when the outside is wanted.',
  explains: [],
  refs,
};

export const floatingDown: FindingSpec = {
  code: 'OSD-ROUTER-010',
  severity: 'warning',
  nature: 'symptom',
  title: 'A floating IP is not ACTIVE',
  meaning: 'The agent has not reported the floating address as set up.',
  evidence: 'status of the floating IP.',
  mend: 'Look at the L3 agent of the router.',
  explains: [],
  refs,
};

export const policyRule: FindingSpec = {
  code: 'OSD-ROUTER-011',
  severity: 'error',
  nature: 'cause',
  title: 'A policy rule of the router leads packets of the instance astray',
  meaning:
    'A rule of the routing policy database in the namespace, which Neutron did not order, refuses packets of the instance or sends them to a table that leads elsewhere.',
  evidence:
    'ip rule and ip route (all tables) in the namespace, walked as the kernel does for packets of the instance.',
  mend: 'Delete the rule, once its maker agrees.',
  explains: beyond,
  refs: ['https://man7.org/linux/man-pages/man8/ip-rule.8.html'],
};

export const snatMissing: FindingSpec = {
  code: 'OSD-ROUTER-012',
  severity: 'error',
  nature: 'cause',
  title: 'The router does not translate what goes out',
  meaning:
    "The rule that gives packets to the outside the router's own address is not in the namespace: instances without a floating IP reach nothing outside.",
  evidence: 'the nat table of the namespace against enable_snat and the external addresses of the router.',
  mend: 'Restart the L3 agent of the host: it writes the rule again.',
  explains: [],
  refs,
};

export const notTheGateway: FindingSpec = {
  code: 'OSD-ROUTER-013',
  severity: 'error',
  nature: 'cause',
  title: "The subnet's gateway is not the router of the floating IP",
  meaning:
    'Instances send what leaves their subnet to gateway_ip. The router that holds the floating IP has another address there, and no router has that one: answers never find back.',
  evidence: "gateway_ip of the subnet against the router's port in it.",
  mend: 'Give the router the address of the gateway (or the subnet the address of the router), then renew the leases.',
  explains: [
    { code: 'OSD-PING-004', over: ['port'] },
    { code: 'OSD-CONSOLE-003', over: ['instance'] },
  ],
  refs,
};

export const addressTaken: FindingSpec = {
  code: 'OSD-ROUTER-014',
  severity: 'error',
  nature: 'cause',
  title: 'Another device outside answers for the floating IP',
  meaning:
    'Somebody else on the external network has the floating address, too: whoever asks who holds it may get the wrong answer.',
  evidence: "arping from the router's outside interface: an answer from a MAC that is not the router's.",
  mend: 'Find the device by its MAC and take the address off it; keep the allocation pool of the external subnet free of foreign devices.',
  explains: [{ code: 'OSD-PING-004', over: ['port'] }],
  refs,
};

export const legUnplugged: FindingSpec = {
  code: 'OSD-ROUTER-015',
  severity: 'error',
  nature: 'cause',
  title: 'An interface of the router is not plugged in on its host',
  meaning:
    'The device that leads out of the namespace is missing, down, or in no bridge or another one: the router has lost a leg, although everything inside its namespace looks well.',
  evidence: 'ip link (and OVSDB) of the host against what the backend makes for this port.',
  mend: 'Plug the device in again, or restart the L3 agent of the host.',
  explains: beyond,
  refs,
};
