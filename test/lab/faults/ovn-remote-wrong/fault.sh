#!/bin/bash
. "$(dirname "$0")/../lib.sh"
inject()  { hx cmp1 ovs-vsctl set open_vswitch . external_ids:ovn-remote=tcp:198.18.0.99:6642; }
heal()    { hx cmp1 ovs-vsctl set open_vswitch . external_ids:ovn-remote=tcp:198.18.0.10:6642; }
symptom() { pw && ! alive cmp1 ovn-controller; }
main "$@"
