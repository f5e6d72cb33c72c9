#!/bin/bash
. "$(dirname "$0")/../lib.sh"
tun()     { hx net1 ovs-vsctl get interface $1 ofport; }
# ovs: the agent's learned entry is changed where it stands; it is made again when the guest speaks, so a fixed one goes over it
inject()  { if [ $V = lb ]; then hx net1 bridge fdb replace $WEB_MAC dev vxlan-$VNI dst 198.18.1.32
  else hx net1 ovs-ofctl add-flow br-tun "table=20,priority=2,dl_dst=$WEB_MAC,actions=strip_vlan,load:$(printf 0x%x $VNI)->NXM_NX_TUN_ID[],output:$(tun vxlan-c6120120)"; fi; }
heal()    { if [ $V = lb ]; then hx net1 bridge fdb replace $WEB_MAC dev vxlan-$VNI dst 198.18.1.31; else hx net1 ovs-ofctl --strict del-flows br-tun "table=20,priority=2,dl_dst=$WEB_MAC"; fi; }
symptom() { ! pw; }
main "$@"
