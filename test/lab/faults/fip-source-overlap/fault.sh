#!/bin/bash
. "$(dirname "$0")/../lib.sh"
A=10.0.0.200/32
inject()  { ip -n $LAB_NAME-ext addr replace $A dev lo; }
heal()    { ip -n $LAB_NAME-ext addr del $A dev lo; true; }
symptom() { pf && ! "$LAB_DIR/enter.sh" ext ping -c1 -W2 -I ${A%/*} $FIP </dev/null >/dev/null 2>&1 && ip -n $LAB_NAME-ext addr show lo | grep -q ${A%/*}; }
main "$@"
