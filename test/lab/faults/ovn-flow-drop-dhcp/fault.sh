#!/bin/bash
. "$(dirname "$0")/../lib.sh"
inject()  { add_flow cmp1 "table=0,priority=600,udp,tp_src=68,tp_dst=67,actions=drop"; }
heal()    { del_flow cmp1 "table=0,priority=600,udp,tp_src=68,tp_dst=67"; }
symptom() { pw && no_lease; }
main "$@"
