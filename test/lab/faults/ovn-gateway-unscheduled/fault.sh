#!/bin/bash
. "$(dirname "$0")/../lib.sh"
P()       { echo lrp-$(rport router_gateway); }
inject()  { nb clear logical_router_port $(P) gateway_chassis; }
# alone: a chassis that the remedy has named beside it goes
heal()    { nb clear logical_router_port $(P) gateway_chassis -- lrp-set-gateway-chassis $(P) $(chassis net1) 1; }
symptom() { ! pf && gg; }
main "$@"
