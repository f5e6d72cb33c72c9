#!/bin/bash
. "$(dirname "$0")/../lib.sh"
inject()  { add_flow cmp1 "table=0,priority=600,arp,in_port=$(ofport cmp1 $WEB_TAP),actions=drop"; hx cmp1 ip netns exec ovnmeta-$NET ip neigh flush all; g web-1 "ip neigh flush all"; }
heal()    { del_flow cmp1 "table=0,priority=600,arp,in_port=$(ofport cmp1 $WEB_TAP)"; }
symptom() { ! pw; }
main "$@"
