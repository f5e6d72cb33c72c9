#!/bin/bash
. "$(dirname "$0")/../lib.sh"
inject()  { hx cmp1 ip link set vxlan-$VNI nomaster; }
heal()    { hx cmp1 ip link set vxlan-$VNI master brq${NET:0:11}; }
symptom() { ! pw && pd; }
main "$@"
