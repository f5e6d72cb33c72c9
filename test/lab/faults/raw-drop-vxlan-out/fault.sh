#!/bin/bash
. "$(dirname "$0")/../lib.sh"
rule()    { hx net1 iptables -t raw $1 OUTPUT -d 198.18.1.31 -p udp --dport 4789 -j DROP; }
inject()  { rule -I; }
heal()    { rule -D; }
symptom() { ! pw && pd; }
main "$@"
