#!/bin/bash
. "$(dirname "$0")/../lib.sh"
open()    { hxs net1 "echo | ip netns exec qdhcp-$NET nc -w 2 -v $WEB 8099" 2>&1 | grep -qE 'refused|open|succeeded'; }
inject()  { hx cmp1 sysctl -w net.bridge.bridge-nf-call-iptables=0; }
heal()    { hx cmp1 sysctl -w net.bridge.bridge-nf-call-iptables=1; }
symptom() { open; }   # no rule allows 8099: a refusal is the guest's own, so the packet got there
main "$@"
