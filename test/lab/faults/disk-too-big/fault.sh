#!/bin/bash
. "$(dirname "$0")/../lib.sh"
inject()  { adm "openstack flavor create --ram 96 --disk 90000 --vcpus 1 m1.wide -f value -c id && openstack server create --flavor m1.wide --image tiny --network private wide-1 -f value -c id"; }
heal()    { adm "openstack server delete --wait wide-1; openstack flavor delete m1.wide; true"; }
symptom() { server_has wide-1 '.fault.message | test("No valid host")'; }
main "$@"
