#!/bin/bash
. "$(dirname "$0")/../lib.sh"
inject()  { qd iptables -I INPUT -p udp --dport 67 -j DROP; }
heal()    { qd iptables -D INPUT -p udp --dport 67 -j DROP; }
symptom() { no_lease; }
main "$@"
