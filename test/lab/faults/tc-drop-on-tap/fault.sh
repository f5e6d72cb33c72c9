#!/bin/bash
. "$(dirname "$0")/../lib.sh"
inject()  { hxs cmp1 "tc qdisc add dev $WEB_TAP clsact; tc filter add dev $WEB_TAP egress pref 10 protocol all bpf da bytecode '1,6 0 0 2,'"; }
heal()    { hx cmp1 tc qdisc del dev $WEB_TAP clsact; }
symptom() { ! pw; }
main "$@"
