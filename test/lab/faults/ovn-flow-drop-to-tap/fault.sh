#!/bin/bash
. "$(dirname "$0")/../lib.sh"
M() { echo "table=65,priority=500,icmp,reg15=$(key $WEB_PORT),metadata=$(dpkey $WEB_PORT)"; }
inject()  { add_flow cmp1 "$(M),actions=drop"; }
heal()    { del_flow cmp1 "$(M)"; }
symptom() { ! pw && hf; }
main "$@"
