#!/bin/bash
. "$(dirname "$0")/../lib.sh"
inject()  { hx net1 ovs-vsctl remove open_vswitch . external_ids ovn-bridge-mappings; }
heal()    { hx net1 ovs-vsctl set open_vswitch . external_ids:ovn-bridge-mappings=physnet1:br-ex; }
symptom() { ! pf && gg && ! hx net1 ovs-vsctl list-ports br-ex | grep -q patch; }
main "$@"
