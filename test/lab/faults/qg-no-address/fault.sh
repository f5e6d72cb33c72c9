#!/bin/bash
. "$(dirname "$0")/../lib.sh"
inject()  { qr ip -4 addr flush dev $(qg); }
heal()    { hx net1 systemctl restart neutron-l3-agent; wait_for 60 "the default route is back" qrs "ip route | grep -q ^default"; }
symptom() { ! pf; }
main "$@"
