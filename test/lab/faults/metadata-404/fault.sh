#!/bin/bash
. "$(dirname "$0")/../lib.sh"
CONF=/var/lib/neutron/ns-metadata-proxy PID=/var/lib/neutron/external/pids
B=00000000-0000-4000-8000-000000000bad
proxy()   { hxs net1 "kill \$(cat $PID/$RTR.pid.haproxy)"; }
# the daemon must not keep what the caller holds open (a lock)
start()   { hxs net1 "sleep 1; ip netns exec qrouter-$RTR haproxy -f $CONF/$RTR.conf" 3>&- 4>&- 5>&- 6>&- 7>&- 8>&- 9>&-; }
inject()  { nocheck net1 neutron-l3-agent; hx net1 sed -i "s/del-header X-Neutron-Network-ID/del-header X-Neutron-Router-ID/; s/set-header X-Neutron-Router-ID .*/set-header X-Neutron-Network-ID $B/" $CONF/$RTR.conf; proxy; start; }
heal()    { proxy; check net1 neutron-l3-agent; }
symptom() { meta | grep -q ' 404'; }
main "$@"
