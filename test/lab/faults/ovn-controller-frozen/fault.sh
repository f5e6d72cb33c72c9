#!/bin/bash
. "$(dirname "$0")/../lib.sh"
inject()  { hx cmp1 pkill -STOP -x ovn-controller; }
heal()    { hx cmp1 pkill -CONT -x ovn-controller; }
symptom() { pw && no_lease; }
main "$@"
