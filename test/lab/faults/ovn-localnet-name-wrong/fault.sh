#!/bin/bash
. "$(dirname "$0")/../lib.sh"
P()       { nbrow logical_switch_port type=localnet; }
inject()  { nb set logical_switch_port $(P) options:network_name=physnet9; }
heal()    { nb set logical_switch_port $(P) options:network_name=physnet1; }
symptom() { ! pf && gg; }
main "$@"
