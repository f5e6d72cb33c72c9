#!/bin/bash
. "$(dirname "$0")/../lib.sh"
M() { echo "table=45,priority=65000,icmp,nw_dst=$WEB"; }
C() { hx cmp1 ovs-ofctl dump-flows br-int table=45 | grep -oE 'cookie=0x[1-9a-f][0-9a-f]*' | sort | uniq -c | sort -rn | awk 'NR==1{print $2}'; }
inject()  { add_flow cmp1 "$(C),$(M),actions=drop"; }
heal()    { del_flow cmp1 "$(M)"; }
symptom() { ! pw; }
main "$@"
