#!/bin/bash
. "$(dirname "$0")/../lib.sh"
inject()  { hx cmp1 ovs-vsctl --if-exists del-port br-int $WEB_TAP; }
heal()    { hx cmp1 ovs-vsctl --may-exist add-port br-int $WEB_TAP -- set interface $WEB_TAP external_ids:iface-id=$WEB_PORT external_ids:attached-mac=$WEB_MAC external_ids:vm-uuid=$WEB_ID external_ids:iface-status=active; }
symptom() { ! pw; }
main "$@"
