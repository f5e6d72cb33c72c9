#!/bin/bash
. "$(dirname "$0")/../lib.sh"
inject()  { hx cmp1 ovs-vsctl del-port br-int patch-tun; }
heal()    { restart_ovs_agent cmp1; }
symptom() { ! pw; }
main "$@"
