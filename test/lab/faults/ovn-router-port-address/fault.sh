#!/bin/bash
. "$(dirname "$0")/../lib.sh"
inject()  { nb set logical_router_port lrp-$(rport router_interface) networks=10.0.0.254/24; }
heal()    { nb set logical_router_port lrp-$(rport router_interface) networks=10.0.0.1/24; }
symptom() { ! pf && gg; }
main "$@"
