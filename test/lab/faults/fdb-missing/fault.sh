#!/bin/bash
. "$(dirname "$0")/../lib.sh"
P=198.18.1.31
# ovs: any packet from web-1 teaches the unicast flow again; broadcasts, and with them ARP, stay lost
tun()     { hx net1 ovs-vsctl get interface vxlan-c612011f ofport; }
floods()  { hx net1 ovs-ofctl --no-stats dump-flows br-tun table=22 | sed 's/^ *//' | grep -E "output:$(tun)(,|\$)"; }
cut_off() { local p f n
  if [ $V = lb ]; then hx net1 bridge fdb del $WEB_MAC dev vxlan-$VNI dst $P; hx net1 bridge fdb del 00:00:00:00:00:00 dev vxlan-$VNI dst $P
  else p=$(tun); hx net1 ovs-ofctl del-flows br-tun "table=20,dl_dst=$WEB_MAC"; floods | while read -r f; do hx net1 ovs-ofctl mod-flows br-tun "$(sed -E "s/,output:$p(,|\$)/\1/; s/ actions=/,actions=/" <<<"$f")"; done; fi
  for n in qdhcp-$NET qrouter-$RTR; do hx net1 ip -n $n neigh flush to $WEB; done; }
back()    { if [ $V = lb ]; then hx net1 bridge fdb show dev vxlan-$VNI | grep -q "^00:00:00:00:00:00 dst $P"; else floods | grep -q .; fi; }
# Neutron sends the entries again for some seconds after a port or an agent of net1 came up
inject()  { local i; for i in 1 2 3; do cut_off; wait_for 6 "entries are back" back >/dev/null 2>&1 || break; done; }
heal()    { if [ $V = lb ]; then hx net1 bridge fdb append 00:00:00:00:00:00 dev vxlan-$VNI dst $P; hx net1 bridge fdb replace $WEB_MAC dev vxlan-$VNI dst $P; else restart_ovs_agent net1; fi; }
symptom() { ! pw; }
main "$@"
