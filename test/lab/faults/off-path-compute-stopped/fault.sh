#!/bin/bash
. "$(dirname "$0")/../lib.sh"
inject()  { hx cmp2 systemctl stop nova-compute; }
heal()    { hx cmp2 systemctl start nova-compute; }
symptom() { compute_has cmp2 '.state=="down"'; }
main "$@"
