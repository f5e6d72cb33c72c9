#!/bin/bash
. "$(dirname "$0")/../lib.sh"
inject()  { adm 'openstack server create --wait --flavor m1.nano --image tiny --network private --availability-zone nova:cmp1 bare-1 -f value -c status; openstack port delete $(openstack port list --server bare-1 -f value -c id)'; }
heal()    { adm "openstack server delete --wait bare-1; true"; }
symptom() { local i; i=$(server_id bare-1) && [ "$(api "9696/v2.0/ports?device_id=$i" | jq '.ports|length')" = 0 ]; }
main "$@"
