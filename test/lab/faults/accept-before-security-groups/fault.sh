#!/bin/bash
. "$(dirname "$0")/../lib.sh"
open()    { hxs net1 "echo | ip netns exec qdhcp-$NET nc -w 2 -v $WEB 8099" 2>&1 | grep -qE 'refused|open|succeeded'; }
rule()    { hx cmp1 iptables $1 FORWARD -m physdev --physdev-out $WEB_TAP --physdev-is-bridged -j ACCEPT; }
inject()  { rule -I; }
heal()    { rule -D; }
symptom() { open; }
main "$@"
