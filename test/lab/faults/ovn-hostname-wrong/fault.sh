#!/bin/bash
. "$(dirname "$0")/../lib.sh"
inject()  { hx cmp1 ovs-vsctl set open_vswitch . external_ids:hostname=cmp1.example.org; }
heal()    { hx cmp1 ovs-vsctl set open_vswitch . external_ids:hostname=cmp1; }
symptom() { ! pw; }
main "$@"
