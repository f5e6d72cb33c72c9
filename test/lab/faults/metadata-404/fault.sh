#!/bin/bash
. "$(dirname "$0")/../lib.sh"
CONF=/var/lib/neutron/ns-metadata-proxy; B=00000000-0000-4000-8000-000000000bad
router()  { nocheck net1 neutron-l3-agent; hxs net1 "sed -i 's/set-header X-Neutron-Router-ID .*/set-header X-Neutron-Router-ID $1/' $CONF/$RTR.conf; pkill -F /var/lib/neutron/external/pids/$RTR.pid.haproxy; sleep 0.5; ip netns exec qrouter-$RTR haproxy -f $CONF/$RTR.conf"; }
inject()  { router $B; }
heal()    { router $RTR; check net1 neutron-l3-agent; }
symptom() { meta | grep -q ' 404'; }
main "$@"
