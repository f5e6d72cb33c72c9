#!/bin/bash
. "$(dirname "$0")/../lib.sh"
rule()    { fab ebtables $1 FORWARD -p IPv4 --ip-src 198.18.1.31 --ip-dst 198.18.1.20 --ip-proto udp --ip-dport 6081 -j DROP; }
inject()  { rule -I; }
heal()    { rule -D; }
symptom() { ! pf && gg; }
main "$@"
