#!/bin/bash
. "$(dirname "$0")/../lib.sh"
inject()  { add_flow cmp1 "table=0,priority=500,ip,in_port=$(ofport cmp1 $WEB_TAP),actions=drop"; }
heal()    { del_flow cmp1 "table=0,priority=500,ip,in_port=$(ofport cmp1 $WEB_TAP)"; }
symptom() { ! pw; }
main "$@"
