#!/bin/bash
. "$(dirname "$0")/../lib.sh"
if [ $V = ovs ]; then P=qvo${WEB_TAP#tap}; else P=$WEB_TAP; fi
inject()  { hx cmp1 ovs-vsctl get port $P tag; hx cmp1 ovs-vsctl set port $P tag=4095; }
heal()    { hx cmp1 systemctl restart $L2; }
symptom() { ! pw && [ "$(hx cmp1 ovs-vsctl get port $P tag)" = 4095 ]; }
main "$@"
