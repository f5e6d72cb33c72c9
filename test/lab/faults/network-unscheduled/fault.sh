#!/bin/bash
. "$(dirname "$0")/../lib.sh"
inject()  { adm "openstack network agent remove network --dhcp $(agent_id net1 neutron-dhcp-agent) $NET"; }
heal()    { adm "openstack network agent add network --dhcp $(agent_id net1 neutron-dhcp-agent) $NET"; }
symptom() { no_lease; }
main "$@"
