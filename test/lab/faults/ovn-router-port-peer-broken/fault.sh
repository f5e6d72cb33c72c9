#!/bin/bash
. "$(dirname "$0")/../lib.sh"
inject()  { nb set logical_switch_port $(rport router_interface) options:router-port=lrp-00000000; }
heal()    { local p=$(rport router_interface); nb set logical_switch_port $p options:router-port=lrp-$p; }
symptom() { ! pf && gg; }
main "$@"
