#!/bin/bash
. "$(dirname "$0")/../lib.sh"
inject()  { hx cmp1 ovs-vsctl remove interface $WEB_TAP external_ids iface-id; }
heal()    { hx cmp1 ovs-vsctl set interface $WEB_TAP external_ids:iface-id=$WEB_PORT; }
symptom() { ! pw && ! hx cmp1 ovs-vsctl --bare --columns=external_ids list interface $WEB_TAP | grep -q iface-id; }
main "$@"
