#!/bin/bash
. "$(dirname "$0")/../lib.sh"
I=/etc/neutron/neutron_ovn_metadata_agent.ini
inject()  { hxs cmp1 "sed -i '/^\[agent\]/a check_child_process_interval = 0' $I; systemctl restart neutron-ovn-metadata-agent"; wait_for 30 "the agent's first pass" hxs cmp1 "pgrep -f 'haproxy -f .*$NET'"; sleep 3; hxs cmp1 "pkill -f 'haproxy -f .*$NET'"; }
heal()    { hxs cmp1 "sed -i '/^check_child_process_interval/d' $I; systemctl restart neutron-ovn-metadata-agent"; }
symptom() { [ "$(meta)" != uuid ]; }
main "$@"
