#!/bin/bash
. "$(dirname "$0")/../lib.sh"
inject()  { adm 'for h in cmp1 cmp2; do openstack compute service set --disable --disable-reason "RAM replacement" $h nova-compute; done; openstack server create --flavor m1.nano --image tiny --network private novalid-1 -f value -c id'; }
heal()    { adm 'for h in cmp1 cmp2; do openstack compute service set --enable $h nova-compute; done; openstack server delete --wait novalid-1; true'; }
symptom() { server_has novalid-1 '.fault.message | test("No valid host")'; }
main "$@"
