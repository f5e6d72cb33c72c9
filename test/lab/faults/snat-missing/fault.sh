#!/bin/bash
. "$(dirname "$0")/../lib.sh"
R() { echo neutron-l3-agent-snat -o $(qg) -j SNAT --to-source $GWIP --random-fully; }
inject()  { qr iptables -t nat -D $(R); }
heal()    { qr iptables -t nat -C $(R) 2>/dev/null || qr iptables -t nat -I neutron-l3-agent-snat 2 $(R | cut -d' ' -f2-); }
symptom() { ! g db-1 "ping -c1 -W2 $EXT_GW" >/dev/null 2>&1; }
main "$@"
