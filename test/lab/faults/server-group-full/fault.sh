#!/bin/bash
. "$(dirname "$0")/../lib.sh"
inject()  { adm 'g=$(openstack server group create --policy anti-affinity apart -f value -c id); for n in 1 2 3; do openstack server create --wait --flavor m1.nano --image tiny --network private --hint group=$g apart-$n -f value -c status; done; true'; }
heal()    { adm "openstack server delete --wait apart-1 apart-2 apart-3; openstack server group delete apart; true"; }
symptom() { server_has apart-3 '.fault.message | test("No valid host|anti-affinity")'; }
main "$@"
