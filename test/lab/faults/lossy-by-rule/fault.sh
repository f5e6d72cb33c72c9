#!/bin/bash
. "$(dirname "$0")/../lib.sh"
rule()    { hx cmp1 iptables $1 FORWARD -p icmp -d $WEB -m statistic --mode random --probability 0.4 -j DROP; }
inject()  { rule -I; }
heal()    { rule -D; }
symptom() { ! hx net1 ip netns exec qdhcp-$NET ping -c 15 -i 0.1 -W1 $WEB | grep -q ' 0% packet loss'; }
main "$@"
