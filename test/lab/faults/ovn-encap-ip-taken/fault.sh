#!/bin/bash
. "$(dirname "$0")/../lib.sh"
inject()  { hx cmp1 systemctl stop ovn-controller; sb chassis-add old-cmp1 geneve 198.18.1.31; hx cmp1 systemctl start ovn-controller; }
heal()    { sb --if-exists chassis-del old-cmp1; again cmp1; }
symptom() { ! pf && ! sb --bare --columns=hostname list chassis | grep -qx cmp1; }
main "$@"
