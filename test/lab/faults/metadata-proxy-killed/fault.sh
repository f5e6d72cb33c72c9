#!/bin/bash
. "$(dirname "$0")/../lib.sh"
inject()  { nocheck net1 neutron-l3-agent; hxs net1 "pkill -F /var/lib/neutron/external/pids/$RTR.pid.haproxy"; }
heal()    { check net1 neutron-l3-agent; }
symptom() { [ "$(meta)" != uuid ]; }
main "$@"
