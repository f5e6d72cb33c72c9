#!/bin/bash
. "$(dirname "$0")/../lib.sh"
flow()    { hx cmp1 ovs-ofctl --no-stats dump-flows br-tun "table=4" | sed 's/^ *//' | grep "tun_id=$(printf 0x%x $1) " | head -1; }
inject()  { if [ $V = lb ]; then hxs cmp1 "ip -d link show vxlan-$VNI > /root/vxlan.was; ip link del vxlan-$VNI; ip link add vxlan-$VNI type vxlan id $((VNI + 11)) local 198.18.1.31 dev eth1 dstport 4789 nolearning; ip link set vxlan-$VNI mtu $MTU master brq${NET:0:11} up; for p in 20 32; do bridge fdb append 00:00:00:00:00:00 dev vxlan-$VNI dst 198.18.1.\$p; done"
  else local f; f=$(flow $VNI); hx cmp1 ovs-ofctl add-flow br-tun "$(sed -E "s/tun_id=0x[0-9a-f]+/tun_id=$(printf 0x%x $((VNI + 11)))/; s/ actions=/,actions=/" <<<"$f")"; hx cmp1 ovs-ofctl --strict del-flows br-tun "table=4,priority=1,tun_id=$(printf 0x%x $VNI)"; fi; }
heal()    { if [ $V = lb ]; then hx cmp1 ip link del vxlan-$VNI; hx cmp1 systemctl restart $L2; else hx cmp1 ovs-ofctl --strict del-flows br-tun "table=4,priority=1,tun_id=$(printf 0x%x $((VNI + 11)))"; restart_ovs_agent cmp1; fi; }
symptom() { ! pw; }
main "$@"
