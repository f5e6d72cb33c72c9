#!/bin/bash
. "$(dirname "$0")/../lib.sh"
CONF=/etc/neutron/agent.conf.d/nocheck.conf LOG=/var/log/neutron/neutron-dhcp-agent.log
running() { hxs net1 "kill -0 \$(cat /var/lib/neutron/dhcp/$NET/pid)" 2>/dev/null; }
synced()  { [ "$(hx net1 grep -c 'Synchronizing state complete' $LOG)" -gt $1 ]; }
# the agent looks after its children every 60 s: that is switched off, and the kill comes after its first full pass
inject()  { local n; n=$(hx net1 grep -c 'Synchronizing state complete' $LOG)
  hxs net1 "mkdir -p ${CONF%/*}; printf '[AGENT]\ncheck_child_process_interval = 0\n' > $CONF; systemctl restart neutron-dhcp-agent"
  wait_for 60 "the DHCP agent's first pass" synced $n; wait_for 20 dnsmasq running; wait_for 40 "the agent is alive" alive net1 neutron-dhcp-agent
  hxs net1 "kill \$(cat /var/lib/neutron/dhcp/$NET/pid)"; }
heal()    { hx net1 rm -f $CONF; hx net1 systemctl restart neutron-dhcp-agent; wait_for 60 dnsmasq running; }
symptom() { ! running; }
main "$@"
