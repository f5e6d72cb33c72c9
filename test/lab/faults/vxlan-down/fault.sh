#!/bin/bash
. "$(dirname "$0")/../lib.sh"
inject()  { hxs cmp1 "bridge fdb show dev vxlan-$VNI | grep dst > /root/fdb.was; ip link set vxlan-$VNI down"; }
heal()    { hx cmp1 ip link set vxlan-$VNI up; }
symptom() { ! pw && pd; }
main "$@"
