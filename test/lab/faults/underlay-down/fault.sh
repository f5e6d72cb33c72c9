#!/bin/bash
. "$(dirname "$0")/../lib.sh"
inject()  { hx cmp1 ip link set eth1 down; }
heal()    { hx cmp1 ip link set eth1 up; }
symptom() { { [ $V = ovn ] && ! gg || ! pw; } && pd; }
main "$@"
