#!/bin/bash
. "$(dirname "$0")/../lib.sh"
inject()  { hx cmp1 ovs-vsctl set open_vswitch . external_ids:ovn-bridge=br-ovn; }
heal()    { hx cmp1 ovs-vsctl remove open_vswitch . external_ids ovn-bridge -- --if-exists del-br br-ovn; again cmp1; }
symptom() { ! pw; }
main "$@"
