#!/bin/bash
. "$(dirname "$0")/../lib.sh"
rule()    { hx cmp1 iptables $1 FORWARD -m physdev --physdev-out $WEB_TAP --physdev-is-bridged -p icmp -j DROP; }
inject()  { rule -I; hx net1 systemctl stop neutron-metadata-agent; }
heal()    { rule -D; hx net1 systemctl start neutron-metadata-agent; }
symptom() { ! pw && ! alive net1 neutron-metadata-agent; }
main "$@"
