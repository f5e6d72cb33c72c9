#!/bin/bash
. "$(dirname "$0")/../lib.sh"
if [ "$V" = lb ] || [ "$V" = ovs ]; then
br()      { if [ $V = lb ]; then echo brq${NET:0:11}; else echo qbr${WEB_PORT:0:11}; fi; }
inject()  { hx cmp1 ip link set $WEB_TAP nomaster; }
heal()    { hx cmp1 ip link set $WEB_TAP master $(br); }
else    # the tap itself is a port of br-int
inject()  { hx cmp1 ovs-vsctl --if-exists del-port br-int $WEB_TAP; }
heal()    { hx cmp1 ovs-vsctl --may-exist add-port br-int $WEB_TAP -- set interface $WEB_TAP external_ids:iface-id=$WEB_PORT external_ids:attached-mac=$WEB_MAC external_ids:vm-id=$WEB_ID external_ids:iface-status=active; }
fi
symptom() { ! pw; }
main "$@"
