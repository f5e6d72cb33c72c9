#!/bin/bash
. "$(dirname "$0")/../lib.sh"
rule()    { qr iptables -t raw $1 PREROUTING -d $FIP -p icmp -j DROP; }
inject()  { rule -I; }
heal()    { rule -D; }
symptom() { ! pf && pw; }
main "$@"
