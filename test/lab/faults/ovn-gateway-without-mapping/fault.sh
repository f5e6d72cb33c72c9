#!/bin/bash
. "$(dirname "$0")/../lib.sh"
P()       { echo lrp-$(rport router_gateway); }
inject()  { nb lrp-set-gateway-chassis $(P) $(chassis cmp1) 20; }
heal()    { nb lrp-del-gateway-chassis $(P) $(chassis cmp1); }
symptom() { ! pf && gg; }
main "$@"
