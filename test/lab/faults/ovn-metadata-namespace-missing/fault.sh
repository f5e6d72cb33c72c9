#!/bin/bash
. "$(dirname "$0")/../lib.sh"
inject()  { hxs cmp1 "ip netns pids ovnmeta-$NET | xargs -r kill -9; ip netns del ovnmeta-$NET"; }
# the userspace datapath keeps the device that is gone, and the agent makes one of the same name: its port goes first
heal()    { ! symptom || { inject; hx cmp1 ovs-vsctl --if-exists del-port br-int tap${NET:0:10}0; hx cmp1 systemctl restart neutron-ovn-metadata-agent; }; }
symptom() { [ "$(meta)" != uuid ]; }
main "$@"
