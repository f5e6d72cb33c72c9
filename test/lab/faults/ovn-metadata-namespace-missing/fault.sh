#!/bin/bash
. "$(dirname "$0")/../lib.sh"
inject()  { hxs cmp1 "ip netns pids ovnmeta-$NET | xargs -r kill -9; ip netns del ovnmeta-$NET"; }
heal()    { hx cmp1 systemctl restart neutron-ovn-metadata-agent; }
symptom() { [ "$(meta)" != uuid ]; }
main "$@"
