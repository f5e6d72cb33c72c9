#!/bin/bash
. "$(dirname "$0")/../lib.sh"
dev()     { echo qvb${WEB_TAP#tap}; }
inject()  { hxs cmp1 "ip link add trap0 type veth peer name trap1; ip link set trap0 up; tc qdisc add dev $(dev) ingress; tc filter add dev $(dev) parent ffff: pref 7 protocol ip u32 match ip dst $WEB/32 action mirred egress redirect dev trap0"; }
heal()    { hxs cmp1 "tc qdisc del dev $(dev) ingress; ip link del trap0"; }
symptom() { ! pw; }
main "$@"
