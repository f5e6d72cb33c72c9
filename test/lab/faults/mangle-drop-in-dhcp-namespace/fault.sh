#!/bin/bash
. "$(dirname "$0")/../lib.sh"
rule()    { hx net1 ip netns exec qdhcp-$NET iptables -t mangle $1 PREROUTING -s $WEB -j DROP; }
inject()  { rule -I; }
heal()    { rule -D; }
symptom() { ! pw && pf; }
main "$@"
