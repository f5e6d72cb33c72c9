#!/bin/bash
. "$(dirname "$0")/../lib.sh"
OUT=$LAB_RUN/bad-az.out
inject()  { adm "openstack server create --flavor m1.nano --image tiny --network private --availability-zone nowhere az-1" > $OUT 2>&1; cat $OUT; }
heal()    { rm -f $OUT; }
symptom() { grep -qi "availability zone is not available" $OUT; }
main "$@"
