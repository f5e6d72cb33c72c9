#!/bin/bash
. "$(dirname "$0")/../lib.sh"
inject()  { hx cmp1 systemctl stop ovn-controller; }
heal()    { hx cmp1 systemctl start ovn-controller; }
symptom() { ! pf && ! sb --bare --columns=hostname list chassis | grep -qx cmp1; }
main "$@"
