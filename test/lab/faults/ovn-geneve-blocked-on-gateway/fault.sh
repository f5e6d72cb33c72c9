#!/bin/bash
. "$(dirname "$0")/../lib.sh"
inject()  { hx net1 ovs-ofctl add-flow br-phy "priority=1000,udp,tp_dst=6081,actions=drop"; }
heal()    { hx net1 ovs-ofctl --strict del-flows br-phy "priority=1000,udp,tp_dst=6081"; }
symptom() { ! pf && gg; }
main "$@"
