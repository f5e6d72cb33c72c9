#!/bin/bash
. "$(dirname "$0")/../lib.sh"
rule()    { hx cmp2 iptables $1 FORWARD -m physdev --physdev-out $DB_TAP --physdev-is-bridged -p icmp -j DROP; }
inject()  { rule -I; }
heal()    { rule -D; }
symptom() { ! pd; }
main "$@"
