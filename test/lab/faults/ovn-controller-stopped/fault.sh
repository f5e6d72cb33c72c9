#!/bin/bash
. "$(dirname "$0")/../lib.sh"
up()      { api '9696/v2.0/ports?name=late-1' | jq -e '.ports[0].status=="ACTIVE"'; }
inject()  { hx cmp1 ovn-appctl -t ovn-controller exit --restart; sleep 1
  p=$(adm "openstack port create --network private --host cmp1 late-1 -f value -c id"); hx cmp1 ovs-vsctl --may-exist add-port br-int late1 -- set interface late1 type=internal external_ids:iface-id=$p; }
heal()    { hx cmp1 systemctl restart ovn-controller; wait_for 8 "late-1 is ACTIVE" up; hx cmp1 ovs-vsctl --if-exists del-port br-int late1; adm "openstack port delete late-1"; }
symptom() { pw && ! alive cmp1 ovn-controller && ! up >/dev/null; }
main "$@"
