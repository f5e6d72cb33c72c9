#!/bin/bash
. "$(dirname "$0")/../lib.sh"
inject()  { adm "openstack network agent set --disable $(agent_id net1 neutron-l3-agent)"; sleep 15; }
heal()    { adm "openstack network agent set --enable $(agent_id net1 neutron-l3-agent)"; hx net1 systemctl restart neutron-l3-agent; }
symptom() { ! pf; }
main "$@"
