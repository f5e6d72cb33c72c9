#!/bin/bash
. "$(dirname "$0")/../lib.sh"
inject()  { adm "openstack network agent remove router --l3 $(agent_id net1 neutron-l3-agent) $RTR"; }
heal()    { adm "openstack network agent add router --l3 $(agent_id net1 neutron-l3-agent) $RTR"; }
symptom() { ! pf; }
main "$@"
