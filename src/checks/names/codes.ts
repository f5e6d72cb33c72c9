import type { FindingSpec } from '../../engine/finding.ts';

export const noAnswer: FindingSpec = {
  code: 'OSD-NAMES-001',
  severity: 'error',
  nature: 'cause',
  title: 'A name server that guests are given does not answer',
  meaning:
    "The subnet (or, where it names none, the network's own DHCP server) gives guests a name server that answers no question from the network's router: names do not resolve, though addresses can be reached.",
  evidence: 'one DNS question over UDP to each name server, from the namespace of the router.',
  mend: 'Give the subnet a name server that answers (guests learn of it with their next lease), or mend that server or the way to it.',
  explains: [],
  refs: ['https://docs.openstack.org/neutron/latest/admin/config-dns-res.html'],
};
