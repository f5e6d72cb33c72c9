#!/bin/bash
. "$(dirname "$0")/../lib.sh"
inject()  { adm "openstack network agent set --disable $(agent_id net1 neutron-dhcp-agent)"; sleep 15; }
heal()    { adm "openstack network agent set --enable $(agent_id net1 neutron-dhcp-agent)"; hx net1 systemctl restart neutron-dhcp-agent; }
symptom() { ! hxs net1 "kill -0 \$(cat /var/lib/neutron/dhcp/$NET/pid)" 2>/dev/null; }
main "$@"
