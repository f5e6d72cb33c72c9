#!/bin/bash
. "$(dirname "$0")/../lib.sh"
rule()    { hx net1 ip netns exec qdhcp-$NET iptables $1 INPUT -p udp --dport 67 -j DROP; }
inject()  { rule -I; }
heal()    { rule -D; }
# a lease that would change nothing: udhcpc with no script asks and says whether it was answered
symptom() { ! g web-1 "udhcpc -i eth0 -n -q -t 3 -T 2 -s /bin/true 2>&1 | grep -o 'obtained'" 20 | grep -q '^obtained'; }
main "$@"
