#!/bin/bash
. "$(dirname "$0")/../lib.sh"
M() { echo "table=20,priority=40000,tcp,nw_src=$WEB,tp_src=80"; }
inject()  { add_flow cmp1 "cookie=0xdeadbeef,$(M),actions=drop"; }
heal()    { del_flow cmp1 "$(M)"; }
symptom() { pf && ! hf; }
main "$@"
