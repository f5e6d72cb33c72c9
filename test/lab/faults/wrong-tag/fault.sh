#!/bin/bash
. "$(dirname "$0")/../lib.sh"
port()    { if [ $V = ovs ]; then echo qvo${WEB_TAP#tap}; else echo $WEB_TAP; fi; }
inject()  { hx cmp1 ovs-vsctl set port $(port) tag=77; }
heal()    { restart_ovs_agent cmp1; }
symptom() { ! pw; }
main "$@"
