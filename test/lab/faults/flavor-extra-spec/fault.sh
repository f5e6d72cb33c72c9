#!/bin/bash
. "$(dirname "$0")/../lib.sh"
inject()  { adm "openstack flavor create --ram 96 --disk 1 --vcpus 1 --property capabilities:hypervisor_version='>= 99000000' m1.picky -f value -c id && openstack server create --flavor m1.picky --image tiny --network private picky-1 -f value -c id"; }
heal()    { adm "openstack server delete --wait picky-1; openstack flavor delete m1.picky; true"; }
symptom() { server_has picky-1 '.fault.message | test("No valid host")'; }
main "$@"
