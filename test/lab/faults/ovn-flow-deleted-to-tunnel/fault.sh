#!/bin/bash
. "$(dirname "$0")/../lib.sh"
inject()  { local p=cr-lrp-$(rport router_gateway); del_flow cmp1 "table=39,priority=100,reg15=$(key $p),metadata=$(dpkey $p)"; }
heal()    { again cmp1; }
symptom() { ! pf && gg; }
main "$@"
