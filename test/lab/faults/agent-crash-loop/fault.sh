#!/bin/bash
. "$(dirname "$0")/../lib.sh"
CONF=/etc/neutron/l3_agent.ini
inject()  { hxs net1 "cp -a $CONF $CONF.lab; sed -i '/^interface_driver/d; /^\[DEFAULT\]/a interface_driver = linuxbrigde' $CONF; systemctl restart neutron-l3-agent"; }
heal()    { hxs net1 "[ ! -e $CONF.lab ] || mv $CONF.lab $CONF; systemctl reset-failed neutron-l3-agent; systemctl restart neutron-l3-agent"; }
symptom() { ! alive net1 neutron-l3-agent; }
main "$@"
