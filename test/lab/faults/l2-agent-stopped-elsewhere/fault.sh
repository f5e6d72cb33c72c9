#!/bin/bash
. "$(dirname "$0")/../lib.sh"
inject()  { hx cmp2 systemctl stop $L2; }
heal()    { hx cmp2 systemctl start $L2; }
symptom() { ! alive cmp2 $L2; }
main "$@"
