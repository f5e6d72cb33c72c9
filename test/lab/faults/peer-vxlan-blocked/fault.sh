#!/bin/bash
. "$(dirname "$0")/../lib.sh"
# with the userspace datapath iptables never sees VXLAN: there the rule is a flow
R="INPUT -p udp --dport 4789 -s 198.18.1.32 -j DROP" M="priority=1000,udp,nw_src=198.18.1.32,tp_dst=4789"
inject()  { if [ $V = lb ]; then hx cmp1 iptables -I $R; else hx cmp1 ovs-ofctl add-flow br-phy "$M,actions=drop"; fi; }
heal()    { if [ $V = lb ]; then hx cmp1 iptables -D $R; else hx cmp1 ovs-ofctl --strict del-flows br-phy "$M"; fi; }
symptom() { ! gg && pw && pd; }
main "$@"
