#!/bin/bash
. "$(dirname "$0")/../lib.sh"
inject()  { hx net1 systemctl stop neutron-dhcp-agent; }
heal()    { hx net1 systemctl start neutron-dhcp-agent; }
symptom() { ! alive net1 neutron-dhcp-agent; }
main "$@"
