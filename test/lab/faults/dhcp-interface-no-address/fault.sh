#!/bin/bash
. "$(dirname "$0")/../lib.sh"
inject()  { qd ip -4 addr flush dev $(dhcp_dev); }
heal()    { hx net1 systemctl restart neutron-dhcp-agent; wait_for 60 "the address is back" qd ip -4 -br addr show | grep -q 10.0.0; }
symptom() { no_lease; }
main "$@"
