#!/bin/bash
. "$(dirname "$0")/../lib.sh"
inject()  { ip -n $LAB_NAME-fabric link set cmp1-eth1 mtu 1400; }
heal()    { ip -n $LAB_NAME-fabric link set cmp1-eth1 mtu 1500; }
symptom() { pw && ! big; }
main "$@"
