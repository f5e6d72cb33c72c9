#!/bin/bash
. "$(dirname "$0")/../lib.sh"
down()    { api "8774/v2.1/os-services?binary=nova-scheduler" | jq -e '.services[0].state=="down"'; }
inject()  { hx ctl systemctl stop nova-scheduler; wait_for 60 "Nova has noticed" down; adm "openstack server create --flavor m1.nano --image tiny --network private waits-1 -f value -c id"; }
heal()    { hx ctl systemctl start nova-scheduler; adm "openstack server delete --wait waits-1; true"; }
symptom() { server_has waits-1 '.status=="BUILD"'; }
main "$@"
