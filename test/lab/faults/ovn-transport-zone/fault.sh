#!/bin/bash
. "$(dirname "$0")/../lib.sh"
inject()  { hx cmp1 ovs-vsctl set open_vswitch . external_ids:ovn-transport-zones=zone-a; }
heal()    { hx cmp1 ovs-vsctl remove open_vswitch . external_ids ovn-transport-zones; }
symptom() { pw && ! pf && ! gg; }
main "$@"
