#!/bin/bash
. "$(dirname "$0")/../lib.sh"
inject()  { hx cmp1 ovs-vsctl set interface $WEB_TAP external_ids:iface-id=00000000-${WEB_PORT#*-}; }
heal()    { hx cmp1 ovs-vsctl set interface $WEB_TAP external_ids:iface-id=$WEB_PORT; }
symptom() { ! pw && ! hx cmp1 ovs-vsctl get interface $WEB_TAP external_ids:iface-id | grep -q $WEB_PORT; }
main "$@"
