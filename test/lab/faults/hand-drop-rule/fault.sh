#!/bin/bash
. "$(dirname "$0")/../lib.sh"
rule()    { hx cmp1 iptables $1 FORWARD -m physdev --physdev-out $WEB_TAP --physdev-is-bridged -p icmp -j DROP; }
inject()  { rule -I; }
heal()    { rule -D; }
symptom() { ! pw; }
main "$@"
