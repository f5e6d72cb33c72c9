#!/bin/bash
. "$(dirname "$0")/../lib.sh"
M() { echo "table=8,priority=65000,ip,nw_dst=$FIP"; }
inject()  { add_flow net1 "$(M),actions=drop"; }
heal()    { del_flow net1 "$(M)"; }
symptom() { ! pf && gg; }
main "$@"
