#!/bin/bash
. "$(dirname "$0")/../lib.sh"
up()      { adm "openstack port show late-1 -f value -c status" | grep -q ACTIVE; }
inject()  { hx cmp1 ovn-appctl -t ovn-controller exit --restart; sleep 1
  p=$(adm "openstack port create --network private --host cmp1 late-1 -f value -c id"); hx cmp1 ovs-vsctl --may-exist add-port br-int late1 -- set interface late1 type=internal external_ids:iface-id=$p; }
heal()    { hx cmp1 systemctl restart ovn-controller; for i in $(seq 8); do up && echo "late-1 is ACTIVE now" && break; sleep 1; done; hx cmp1 ovs-vsctl --if-exists del-port br-int late1; adm "openstack port delete late-1"; }
symptom() { pw && ! alive cmp1 ovn-controller && ! up; }
main "$@"
