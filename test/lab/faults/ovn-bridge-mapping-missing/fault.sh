#!/bin/bash
. "$(dirname "$0")/../lib.sh"; . "$LAB_DIR/steps.sh"
# of both: Neutron gives the router to the other gateway chassis when one loses its mapping
inject()  { for h in cmp2 net1; do hx $h ovs-vsctl remove open_vswitch . external_ids ovn-bridge-mappings; done; }
heal()    { for h in cmp2 net1; do hx $h ovs-vsctl set open_vswitch . external_ids:ovn-bridge-mappings=physnet1:br-ex; done; sleep 2; gateways; }
symptom() { ! pf && gg && ! hx net1 ovs-vsctl list-ports br-ex | grep -q patch; }
main "$@"
