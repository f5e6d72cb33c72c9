#!/bin/bash
. "$(dirname "$0")/../lib.sh"
inject()  { hx cmp1 systemctl stop $L2; }
heal()    { hx cmp1 systemctl start $L2; }
symptom() { ! alive cmp1 $L2; }
main "$@"
