#!/bin/bash
. "$(dirname "$0")/../lib.sh"
inject()  { nb remove port_group $(pg $SG) ports $(nbrow logical_switch_port name=$WEB_PORT); }
heal()    { nb add port_group $(pg $SG) ports $(nbrow logical_switch_port name=$WEB_PORT); }
symptom() { ! pw; }
main "$@"
