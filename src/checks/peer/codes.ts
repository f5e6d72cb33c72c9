import type { FindingSpec } from '../../engine/finding.ts';

const refs = ['https://docs.openstack.org/neutron/latest/admin/intro-os-networking.html'];

export const apart: FindingSpec = {
  code: 'OSD-PEER-001',
  severity: 'error',
  nature: 'cause',
  title: 'No router joins the networks of the two',
  meaning:
    'The instance and its peer are on different networks, and no router has a leg in both; no static route of its routers leads to the peer either.',
  evidence: "the routers with a port in the instance's network, their other ports, and their routes.",
  mend: "Give a router of one network a leg in the other (openstack router add subnet), or use the peer's floating address.",
  explains: [],
  refs,
};

export const outsideSilent: FindingSpec = {
  code: 'OSD-PEER-002',
  severity: 'warning',
  nature: 'symptom',
  title: 'An address outside gives no answer to the router',
  meaning:
    'The router reaches its own gateway, and the address behind it does not answer pings: it may not answer pings at all, or what lies beyond the cloud does not lead there.',
  evidence: 'the route of the router namespace towards the address, and a ping of it from there.',
  mend: 'Ask from the external network itself; look at the routes and firewalls between the external gateway and the address.',
  explains: [],
  refs,
};
