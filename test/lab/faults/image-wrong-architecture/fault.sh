#!/bin/bash
. "$(dirname "$0")/../lib.sh"
inject()  { adm "openstack image create --container-format bare --disk-format raw --file /etc/hostname --property hw_architecture=ia64 arm-image -f value -c id && openstack server create --flavor m1.nano --image arm-image --network private arm-1 -f value -c id"; }
heal()    { adm "openstack server delete --wait arm-1; openstack image delete arm-image; true"; }
symptom() { server_has arm-1 '.fault.message | test("No valid host")'; }
main "$@"
