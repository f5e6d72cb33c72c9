#!/bin/bash
. "$(dirname "$0")/../lib.sh"
C=00000000-5747-4a11-8000-00000000dead P="--os-placement-api-version 1.28"
free()    { api8778 "/resource_providers/$1/inventories" | jq -r '.inventories.DISK_GB | ((.total-.reserved)*.allocation_ratio|floor)'; }
used()    { api8778 "/resource_providers/$1/usages" | jq -r .usages.DISK_GB; }
api8778() { printf 'X-Auth-Token: %s\nOpenStack-API-Version: placement 1.28\n' "$(token)" | hx ctl curl -sf -m 30 -H @- "http://ctl:8778$1"; }
inject()  { local rp a=; for rp in $(api8778 /resource_providers | jq -r '.resource_providers[].uuid'); do a+=" --allocation rp=$rp,DISK_GB=$(($(free $rp) - $(used $rp)))"; done
  adm "p=\$(openstack project show demo -f value -c id) u=\$(openstack user show admin -f value -c id); openstack $P resource provider allocation set --project-id \$p --user-id \$u $a $C; openstack server create --flavor m1.nano --image tiny --network private roomless-1 -f value -c id"; }
heal()    { adm "openstack server delete --wait roomless-1; openstack $P resource provider allocation delete $C; true"; }
symptom() { server_has roomless-1 '.fault.message | test("No valid host")' && [ "$(api8778 /allocations/$C | jq '.allocations|length')" -gt 0 ]; }
main "$@"
