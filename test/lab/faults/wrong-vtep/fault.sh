#!/bin/bash
. "$(dirname "$0")/../lib.sh"
tun()     { hx net1 ovs-vsctl get interface $1 ofport; }
uni()     { hx net1 ovs-ofctl --no-stats dump-flows br-tun table=20 | grep "priority=2,.*dl_dst=$WEB_MAC" | grep -oE 'dl_vlan=[0-9]+' | head -1; }
# ovs: the agent's own entry is changed where it stands; with OpenFlow 1.3 its cookie stays (1.0 would set it to 0)
send()    { hx net1 ovs-ofctl -O OpenFlow13 --strict mod-flows br-tun "table=20,priority=2,$(uni),dl_dst=$WEB_MAC,actions=strip_vlan,load:$(printf 0x%x $VNI)->NXM_NX_TUN_ID[],output:$(tun $1)"; }
inject()  { if [ $V = lb ]; then hx net1 bridge fdb replace $WEB_MAC dev vxlan-$VNI dst 198.18.1.32; else send vxlan-c6120120; fi; }
heal()    { if [ $V = lb ]; then hx net1 bridge fdb replace $WEB_MAC dev vxlan-$VNI dst 198.18.1.31; else send vxlan-c612011f; fi; }
symptom() { ! pw; }
main "$@"
