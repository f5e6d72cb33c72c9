#!/bin/bash
. "$(dirname "$0")/../lib.sh"
sub()     { api "9696/v2.0/subnets?network_id=$NET" | jq -r '.subnets[0].id'; }
inject()  { adm "openstack subnet set --no-dhcp $(sub); openstack server reboot --hard --wait web-1"; wait_for 60 "web-1 gives up" gave_up; }
gave_up() { console web-1 | grep -q 'no lease after try'; }
heal()    { adm "openstack subnet set --dhcp $(sub); openstack server reboot --hard --wait web-1"; }
symptom() { ! pf && gave_up; }
main "$@"
