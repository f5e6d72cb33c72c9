#!/bin/bash
. "$(dirname "$0")/../lib.sh"
inject()  { hx cmp1 ovs-vsctl set open_vswitch . external_ids:ovn-encap-ip=198.18.1.99; }
heal()    { hx cmp1 ovs-vsctl set open_vswitch . external_ids:ovn-encap-ip=198.18.1.31; }
symptom() { ! pf && ! gg && pw; }
main "$@"
