#!/bin/bash
. "$(dirname "$0")/../lib.sh"
inject()  { adm "openstack server create --flavor m1.huge --image tiny --network private huge-1 -f value -c id"; }
heal()    { adm "openstack server delete --wait huge-1; true"; }
symptom() { server_has huge-1 '.fault.message | test("No valid host")'; }
main "$@"
