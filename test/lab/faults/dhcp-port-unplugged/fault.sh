#!/bin/bash
. "$(dirname "$0")/../lib.sh"
if [ "$V" = lb ]; then
tap()     { echo tap$(dhcp_port | cut -c1-11); }
inject()  { hx net1 ip link set $(tap) nomaster; }
heal()    { hx net1 ip link set $(tap) master brq${NET:0:11}; }
else
tap()     { echo tap$(dhcp_port | cut -c1-11); }
inject()  { hx net1 ovs-vsctl set port $(tap) tag=4095; }
heal()    { restart_ovs_agent net1; }
fi
symptom() { no_lease; }
main "$@"
