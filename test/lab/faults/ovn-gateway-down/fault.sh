#!/bin/bash
. "$(dirname "$0")/../lib.sh"
inject()  { hxs net1 'ovn-appctl -t ovn-controller exit --restart; systemctl stop ovs-vswitchd'; }
heal()    { . "$LAB_DIR/steps.sh"; hx net1 systemctl start openvswitch-switch ovs-vswitchd; hx net1 systemctl restart ovn-controller; ovs_node net1; }
symptom() { ! pf && gg; }
main "$@"
