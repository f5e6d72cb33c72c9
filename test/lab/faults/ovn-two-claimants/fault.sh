#!/bin/bash
. "$(dirname "$0")/../lib.sh"
inject()  { hx cmp2 ovs-vsctl --may-exist add-port br-int thief1 -- set interface thief1 type=internal external_ids:iface-id=$WEB_PORT; nb remove logical_switch_port $WEB_PORT options requested-chassis; }
heal()    { nb set logical_switch_port $WEB_PORT options:requested-chassis=cmp1; hx cmp2 ovs-vsctl --if-exists del-port br-int thief1; }
symptom() { ! from_ns ping -c 12 -i 0.2 -W1 $WEB | grep -q ' 0% packet loss' || ! gg; }
main "$@"
