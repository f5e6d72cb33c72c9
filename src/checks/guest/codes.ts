import type { FindingSpec } from '../../engine/finding.ts';

export const spoofs: FindingSpec = {
  code: 'OSD-GUEST-001',
  severity: 'error',
  nature: 'cause',
  title: "The instance sends with an address that is not its port's",
  meaning:
    'Anti-spoofing of the port drops what comes from another MAC or IP address than Neutron gave: the guest was configured by hand, carries a virtual address, or was cloned.',
  evidence: "how far the port's anti-spoofing rules (iptables, ebtables or OVS flows) rose while it was probed.",
  mend: 'Put the address right in the guest; when the other address is meant, allow it on the port (allowed address pairs).',
  explains: [
    { code: 'OSD-PING-*', over: ['port'] },
    { code: 'OSD-PATH-*', over: ['port'] },
    { code: 'OSD-CONSOLE-003', over: ['instance'] },
  ],
  refs: ['https://docs.openstack.org/neutron/latest/admin/archives/introduction.html#allowed-address-pairs'],
};

export const addressClaimed: FindingSpec = {
  code: 'OSD-GUEST-002',
  severity: 'error',
  nature: 'cause',
  title: "Another device answers ARP for the instance's address",
  meaning:
    'Two stations of the network claim one address: another instance or namespace was given it by hand, or a stray device is plugged into the network. Whoever answers first gets the packets, now this one, now that one.',
  evidence:
    "arping from a DHCP namespace of the network: an answer from a MAC that is not the port's (nor one of its allowed pairs).",
  mend: 'Find the device by its MAC and take the address from it; port security would have stopped an instance.',
  explains: [
    { code: 'OSD-PING-*', over: ['port'] },
    { code: 'OSD-PATH-*', over: ['port'] },
    { code: 'OSD-MTU-001', over: ['port'] },
    // What is sent to the other MAC leaves for another host.
    { code: 'OSD-TUNNEL-001', over: ['port'] },
    { code: 'OSD-CONSOLE-*', over: ['instance'] },
  ],
  refs: ['https://docs.openstack.org/neutron/latest/admin/archives/introduction.html#allowed-address-pairs'],
};
