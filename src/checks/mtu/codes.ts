import type { FindingSpec } from '../../engine/finding.ts';

export const fullSizeLost: FindingSpec = {
  code: 'OSD-MTU-001',
  severity: 'error',
  nature: 'symptom',
  title: 'Full-size packets do not pass',
  meaning: "A ping of the network's full MTU that may not be fragmented gets no answer, while small ones do.",
  evidence: 'the two pings.',
  mend: 'A symptom: find the narrow place with the budget.',
  explains: [],
  refs: ['https://docs.openstack.org/neutron/latest/admin/config-mtu.html'],
};

export const narrowDevice: FindingSpec = {
  code: 'OSD-MTU-002',
  severity: 'error',
  nature: 'cause',
  title: 'A device on the path is too narrow for the network',
  meaning:
    "Its MTU is less than the network's (plus the tunnel header where it carries the tunnel): full-size packets end there.",
  evidence: 'the MTU of every device of the path against the budget.',
  mend: 'Raise the MTU of the device, or lower that of the network and renew the leases.',
  explains: [{ code: 'OSD-MTU-001', over: ['port'] }],
  refs: ['https://docs.openstack.org/neutron/latest/admin/config-mtu.html'],
};
