#!/bin/bash
. "$(dirname "$0")/../lib.sh"
all()     { hxs net1 "systemctl kill --kill-whom=all -s $1 neutron-l3-agent"; }
inject()  { all STOP; }
heal()    { all CONT; wait_for 40 "the agent is alive" alive net1 neutron-l3-agent || hx net1 systemctl restart neutron-l3-agent; }
symptom() { ! alive net1 neutron-l3-agent; }
main "$@"
