#!/bin/bash
. "$(dirname "$0")/../lib.sh"
inject()  { hx cmp2 ovs-ofctl add-flow br-phy "priority=1000,udp,nw_src=198.18.1.31,tp_dst=6081,actions=drop"; }
heal()    { hx cmp2 ovs-ofctl --strict del-flows br-phy "priority=1000,udp,nw_src=198.18.1.31,tp_dst=6081"; }
symptom() { ! gg && pf; }
main "$@"
