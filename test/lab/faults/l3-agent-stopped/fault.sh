#!/bin/bash
. "$(dirname "$0")/../lib.sh"
inject()  { hx net1 systemctl stop neutron-l3-agent; }
heal()    { hx net1 systemctl start neutron-l3-agent; }
symptom() { ! alive net1 neutron-l3-agent; }
main "$@"
