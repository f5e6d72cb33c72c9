#!/bin/bash
. "$(dirname "$0")/../lib.sh"
# a namespace lives as long as a process in it: its haproxy goes first
inject()  { hxs net1 "ip netns pids qrouter-$RTR | xargs -r kill -9; for i in \$(seq 20); do [ -z \"\$(ip netns pids qrouter-$RTR)\" ] && break; sleep 0.2; done; ip netns del qrouter-$RTR"; }
heal()    { hx net1 systemctl restart neutron-l3-agent; }
symptom() { ! pf && ! hxs net1 "ip netns | grep -q qrouter-$RTR"; }
main "$@"
