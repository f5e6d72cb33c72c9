import type { Explains, FindingSpec } from '../../engine/finding.ts';

const refs = ['https://docs.openstack.org/neutron/latest/admin/config-dhcp-ha.html'];
const noLease: readonly Explains[] = [
  { code: 'OSD-CONSOLE-001', over: ['network'] },
  { code: 'OSD-CONSOLE-001', over: ['instance'] },
  { code: 'OSD-CONSOLE-003', over: ['instance'] },
];
const noNamespace: readonly Explains[] = [
  { code: 'OSD-PING-001', over: ['port'] },
  // A path that only the DHCP server's pings die on is its own; one that the router's die on, too, is not.
  { code: 'OSD-PATH-*', over: ['agent'] },
  { code: 'OSD-MTU-001', over: ['port'] },
];
/** A request that came to the server, followed by its packets. */
const unanswered: readonly Explains[] = [{ code: 'OSD-PATH-008', over: ['port'] }];
/** What the server then says. */
const offered: readonly Explains[] = [{ code: 'OSD-DHCP-011', over: ['port'] }];

export const notServed: FindingSpec = {
  code: 'OSD-DHCP-001',
  severity: 'error',
  nature: 'cause',
  title: 'No DHCP agent serves the network',
  meaning: 'A subnet wants DHCP, and no agent hosts the network: nobody will answer a lease request.',
  evidence: 'enable_dhcp of the subnets, the DHCP ports of the network and the agents scheduled for it.',
  mend: 'Schedule the network to a live DHCP agent.',
  explains: [
    ...noLease,
    ...noNamespace,
    { code: 'OSD-DHCP-002', over: ['network'] },
    { code: 'OSD-DHCP-010', over: ['network'] },
  ],
  refs,
};

export const namespaceMissing: FindingSpec = {
  code: 'OSD-DHCP-002',
  severity: 'error',
  nature: 'cause',
  title: 'The DHCP namespace of the network is missing',
  meaning: 'Neutron counts on this host to serve the network, but the namespace that holds dnsmasq is not there.',
  evidence: 'ip netns of the host that the DHCP port is bound on.',
  mend: 'Restart the DHCP agent of the host; it makes the namespace again.',
  explains: [
    ...noLease,
    ...noNamespace,
    { code: 'OSD-DHCP-003', over: ['agent'] },
    { code: 'OSD-DHCP-005', over: ['agent'] },
  ],
  refs,
};

export const serverDead: FindingSpec = {
  code: 'OSD-DHCP-003',
  severity: 'error',
  nature: 'cause',
  title: 'dnsmasq of the network is dead',
  meaning: 'The namespace is there, but no dnsmasq runs for the network: instances get no lease and no renewal.',
  evidence: 'the processes of the host: no dnsmasq with the id of the network in its arguments.',
  mend: 'Restart the DHCP agent of the host; it starts dnsmasq again. Look at the journal for why it ended (memory, a crash).',
  explains: [...noLease, ...unanswered],
  refs,
};

export const entryWrong: FindingSpec = {
  code: 'OSD-DHCP-004',
  severity: 'error',
  nature: 'cause',
  title: 'dnsmasq has no entry, or a wrong one, for the port',
  meaning:
    "dnsmasq answers only MAC addresses it has in its host file. The port's is missing or stands with another address: 'no address available'.",
  evidence: "the host file of dnsmasq against the port's MAC and fixed addresses.",
  mend: 'Restart the DHCP agent of the host: it writes the file again from Neutron.',
  explains: [...noLease, ...unanswered, ...offered],
  refs,
};

export const serverAddress: FindingSpec = {
  code: 'OSD-DHCP-005',
  severity: 'error',
  nature: 'cause',
  title: "The DHCP server's interface lacks its address, or is down",
  meaning:
    'dnsmasq cannot hear or answer on the network because its device in the namespace is not as Neutron made it.',
  evidence: 'ip addr in the namespace against the DHCP port.',
  mend: 'Restart the DHCP agent of the host.',
  explains: [...noLease, ...noNamespace],
  refs,
};

export const optionWrong: FindingSpec = {
  code: 'OSD-DHCP-007',
  severity: 'error',
  nature: 'cause',
  title: "DHCP hands out a router that is not the subnet's gateway",
  meaning: 'Instances get a lease and send everything beyond their subnet to an address that does not route.',
  evidence: "option:router in dnsmasq's opts file against gateway_ip of the subnet.",
  mend: 'Restart the DHCP agent of the host: it writes the file again from Neutron; then renew the lease in the instance.',
  explains: [{ code: 'OSD-PING-004', over: ['port'] }, { code: 'OSD-CONSOLE-003', over: ['instance'] }, ...offered],
  refs,
};

export const poolExhausted: FindingSpec = {
  code: 'OSD-DHCP-006',
  severity: 'warning',
  nature: 'cause',
  title: 'The subnet has no address left',
  meaning: 'Every address of the allocation pools is given away: existing instances go on, new ports fail.',
  evidence: 'used and total addresses of the subnet (network IP availability).',
  mend: 'Widen the allocation pool, add a subnet, or delete ports that nothing uses.',
  explains: [
    { code: 'OSD-VM-002', over: ['instance'] },
    { code: 'OSD-PORT-006', over: ['port'] },
  ],
  refs: ['https://docs.openstack.org/api-ref/network/v2/#network-ip-availability'],
};

export const switchedOff: FindingSpec = {
  code: 'OSD-DHCP-008',
  severity: 'error',
  nature: 'cause',
  title: 'DHCP is switched off on the subnet, and the instance asked for a lease in vain',
  meaning:
    'enable_dhcp of every subnet of the network is False, so no DHCP server answers. That is right for instances with a configured address; this one asked.',
  evidence: 'enable_dhcp of the subnets, and the DHCP client of the instance on its console.',
  mend: 'Switch DHCP on, and let the instance ask again; or configure its address in the instance.',
  explains: [
    ...noLease,
    { code: 'OSD-PING-*', over: ['port'] },
    { code: 'OSD-PATH-*', over: ['port'] },
    { code: 'OSD-MTU-001', over: ['port'] },
    { code: 'OSD-GUEST-*', over: ['port'] },
  ],
  refs: ['https://docs.openstack.org/api-ref/network/v2/#subnets'],
};

export const nameServersWrong: FindingSpec = {
  code: 'OSD-DHCP-009',
  severity: 'error',
  nature: 'cause',
  title: 'DHCP hands out name servers that are not those of the subnet',
  meaning: 'Instances get a lease and ask somebody else for names than Neutron says.',
  evidence: "option:dns-server in dnsmasq's opts file against dns_nameservers of the subnet.",
  mend: 'Restart the DHCP agent of the host: it writes the file again from Neutron; then renew the lease in the instance.',
  explains: offered,
  refs,
};

export const portUnplugged: FindingSpec = {
  code: 'OSD-DHCP-010',
  severity: 'error',
  nature: 'cause',
  title: "The DHCP server's port is not plugged in on its host",
  meaning:
    'dnsmasq runs in its namespace, but the device that leads out of it is missing, down, or in no bridge or another one: no request reaches it.',
  evidence: 'ip link (and OVSDB) of the host against what the backend makes for this port.',
  mend: 'Plug the device in again, or restart the DHCP agent of the host.',
  explains: [...noLease, ...noNamespace],
  refs,
};

export const offerWrong: FindingSpec = {
  code: 'OSD-DHCP-011',
  severity: 'error',
  nature: 'symptom',
  title: 'What the DHCP server offers is not what Neutron says of the port',
  meaning:
    'A request in the name of the instance was answered, and the answer names another address, router, name server or MTU than the port, its subnet and its network have.',
  evidence: 'the offer as it was captured, against the port, its subnet and its network.',
  mend: 'Restart the DHCP agent of the host: it writes the files of dnsmasq again from Neutron; then renew the lease in the instance.',
  explains: [],
  refs,
};

export const strangeServer: FindingSpec = {
  code: 'OSD-DHCP-012',
  severity: 'error',
  nature: 'cause',
  title: "Another DHCP server than Neutron's answers on the network",
  meaning:
    'A request in the name of the instance was also answered by a server that no DHCP agent of Neutron runs. An instance takes the offer that comes first: it may get an address, a router or a name server that nobody here gave it.',
  evidence: 'the offer as it was captured, with the MAC address that it came from.',
  mend: 'Find who has that MAC address (a port of Neutron without port security, or something on the physical network) and end its DHCP server.',
  explains: [...offered, { code: 'OSD-CONSOLE-003', over: ['instance'] }, { code: 'OSD-GUEST-*', over: ['port'] }],
  refs,
};
