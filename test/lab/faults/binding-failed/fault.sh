#!/bin/bash
. "$(dirname "$0")/../lib.sh"
# Nova gives the port back when the build fails; bad-port is the one that stays with the instance, as after a failed migration. It is made
# when the build has failed: Nova unbinds every port that the instance has by then.
inject()  { adm 'openstack server create --wait --flavor m1.nano --image tiny --network public --availability-zone nova:cmp1 bad-1 -f value -c id || true
  openstack port create --network public --host cmp1 --device-owner compute:nova --device $(openstack server show bad-1 -f value -c id) bad-port -f value -c binding_vif_type'; }
heal()    { adm 'openstack server delete --wait bad-1; openstack port delete bad-port; true'; }
symptom() { api '9696/v2.0/ports?name=bad-port' | jq -e '.ports[0]."binding:vif_type"=="binding_failed"' && server_has bad-1 '.status=="ERROR"'; }
main "$@"
