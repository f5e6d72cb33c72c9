#!/bin/bash
. "$(dirname "$0")/../lib.sh"
inject()  { hx cmp1 ovs-vsctl set open_vswitch . external_ids:ovn-encap-type=vxlan; }
heal()    { hx cmp1 ovs-vsctl set open_vswitch . external_ids:ovn-encap-type=geneve; }
symptom() { pw && ! pf && ! gg; }
main "$@"
