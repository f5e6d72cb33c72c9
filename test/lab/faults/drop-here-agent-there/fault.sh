#!/bin/bash
. "$(dirname "$0")/../lib.sh"
rule()    { hx cmp1 iptables $1 FORWARD -m physdev --physdev-out $WEB_TAP --physdev-is-bridged -p icmp -j DROP; }
inject()  { rule -I; hx cmp2 systemctl stop $L2; }
heal()    { rule -D; hx cmp2 systemctl start $L2; }
symptom() { ! pw && ! alive cmp2 $L2; }
main "$@"
