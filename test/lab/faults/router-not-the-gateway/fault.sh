#!/bin/bash
. "$(dirname "$0")/../lib.sh"
sub()     { api "9696/v2.0/subnets?network_id=$NET" | jq -r '.subnets[0].id'; }
fipid()   { api "9696/v2.0/floatingips?floating_ip_address=$FIP" | jq -r '.floatingips[0].id'; }
inject()  { adm "openstack floating ip unset --port $FIP; openstack router remove subnet $RTR $(sub); openstack router add port $RTR \$(openstack port create --network private --fixed-ip subnet=$(sub),ip-address=10.0.0.250 odd-leg -f value -c id); openstack floating ip set --port $WEB_PORT $FIP"; }
heal()    { adm "openstack floating ip unset --port $FIP; openstack router remove port $RTR \$(openstack port list --router $RTR --fixed-ip ip-address=10.0.0.250 -f value -c id); openstack router add subnet $RTR $(sub); openstack floating ip set --port $WEB_PORT $FIP"; }
symptom() { ! pf; }
main "$@"
