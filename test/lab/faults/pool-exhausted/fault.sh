#!/bin/bash
. "$(dirname "$0")/../lib.sh"
sub()     { api "9696/v2.0/subnets?network_id=$NET" | jq -r '.subnets[0].id'; }
pool()    { adm "openstack subnet set --no-allocation-pool --allocation-pool $1 $(sub)"; }
inject()  { pool start=10.0.0.2,end=10.0.0.2; adm "openstack server create --flavor m1.nano --image tiny --network private --availability-zone nova:cmp1 late-2 -f value -c id"; }
heal()    { pool start=10.0.0.2,end=10.0.0.254; adm "openstack server delete --wait late-2; true"; }
symptom() { server_has late-2 '.status=="ERROR"'; }
main "$@"
