#!/bin/bash
. "$(dirname "$0")/../lib.sh"
CONF=/etc/neutron/dhcp_agent.ini
inject()  { hxs net1 "cp -a $CONF $CONF.lab; sed -i '/^\[DEFAULT\]/a transport_url = rabbit://openstack:mistyped@ctl:5672/' $CONF; systemctl restart neutron-dhcp-agent"; }
heal()    { hxs net1 "[ ! -e $CONF.lab ] || mv $CONF.lab $CONF; systemctl restart neutron-dhcp-agent"; }
symptom() { ! alive net1 neutron-dhcp-agent; }
main "$@"
