#!/bin/bash
. "$(dirname "$0")/../lib.sh"
inject()  { hx cmp2 systemctl stop $L2; }
heal()    { hx cmp2 systemctl start $L2; [ $V != ovn ] || { . "$LAB_DIR/steps.sh"; wait_for 30 "cmp2 is a chassis" eval '[ -n "$(chassis cmp2)" ]'; gateways; }; }
symptom() { ! alive cmp2 $L2; }
main "$@"
