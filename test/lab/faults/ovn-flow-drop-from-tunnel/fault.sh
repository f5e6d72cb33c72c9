#!/bin/bash
. "$(dirname "$0")/../lib.sh"
F() { echo "table=0,priority=500,in_port=$(ofport cmp1 ovn-$(chassis net1 | cut -c1-6)-0)"; }
inject()  { add_flow cmp1 "$(F),actions=drop"; }
heal()    { del_flow cmp1 "$(F)"; }
symptom() { ! pf && gg; }
main "$@"
