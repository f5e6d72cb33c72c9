#!/bin/bash
. "$(dirname "$0")/../lib.sh"
inject()  { hx net1 ovs-vsctl set open_vswitch . external_ids:ovn-bridge-mappings=physnet1:br-extern; }
heal()    { hx net1 ovs-vsctl set open_vswitch . external_ids:ovn-bridge-mappings=physnet1:br-ex; }
symptom() { ! pf && gg; }
main "$@"
