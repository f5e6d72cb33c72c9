#!/bin/bash
. "$(dirname "$0")/../lib.sh"
CONF=/etc/neutron/plugins/ml2/${L2#neutron-}; CONF=${CONF//-/_}.ini
# the agent refuses an address that the host does not have
set_ip()  { hxs cmp1 "sed -i 's/^local_ip *=.*/local_ip = $1/' $CONF"; if [ $V = lb ]; then hx cmp1 systemctl restart $L2; else restart_ovs_agent cmp1; fi; }
names()   { api 9696/v2.0/agents | jq -e --arg ip $1 --arg b $L2 'any(.agents[]; .host=="cmp1" and .binary==$b and .alive and .configurations.tunneling_ip==$ip)' >/dev/null; }
inject()  { hx cmp1 ip addr add 198.18.7.31/32 dev lo; set_ip 198.18.7.31; wait_for 60 "the agent names it" names 198.18.7.31
  hxs cmp1 "ip link show vxlan-$VNI >/dev/null 2>&1 && { ip link del vxlan-$VNI; systemctl restart $L2; }"; true; }
heal()    { set_ip 198.18.1.31; wait_for 60 "the agent names its own" names 198.18.1.31; hx cmp1 ip addr del 198.18.7.31/32 dev lo
  hxs cmp1 "ip link show vxlan-$VNI >/dev/null 2>&1 && { ip link del vxlan-$VNI; systemctl restart $L2; }"; wait_for 60 "web-1 answers" pw; }
symptom() { ! pw; }
main "$@"
