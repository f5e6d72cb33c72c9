#!/bin/bash
. "$(dirname "$0")/../lib.sh"
MAC=02:00:00:00:00:77
inject()  { if [ $V = lb ]; then hxs cmp2 "ip netns add twin; ip link add twin0 type veth peer name eth0 netns twin; ip link set twin0 master brq${NET:0:11} up; ip -n twin link set eth0 address $MAC up; ip -n twin addr add $WEB/24 dev eth0"
  else hxs cmp2 "ip netns add twin; ovs-vsctl add-port br-int twin0 tag=\$(ovs-vsctl get port \$(ovs-vsctl list-ports br-int | grep -E '^(qvo|tap)${DB_PORT:0:8}') tag) -- set interface twin0 type=internal; ip link set twin0 netns twin; ip -n twin link set twin0 address $MAC; ip -n twin link set twin0 up; ip -n twin addr add $WEB/24 dev twin0"; fi
  hxs cmp2 "ip netns exec twin ping -c 3 -W 1 10.0.0.1; ip netns exec twin ping -c 1 -W1 10.0.0.2" >/dev/null; hx net1 ip -n qrouter-$RTR neigh flush to $WEB; hx net1 ip -n qdhcp-$NET neigh flush to $WEB; true; }
heal()    { [ $V = lb ] || hx cmp2 ovs-vsctl --if-exists del-port br-int twin0; hx cmp2 ip netns del twin; hx net1 ip -n qrouter-$RTR neigh flush to $WEB; hx net1 ip -n qdhcp-$NET neigh flush to $WEB; }
symptom() { hx net1 ip -n qrouter-$RTR neigh flush to $WEB; hxs net1 "ip netns exec qrouter-$RTR arping -c 2 -w 3 -I \$(ip -n qrouter-$RTR -o addr show | grep -oE 'qr-[0-9a-f-]+' | head -1) $WEB" | grep -qi $MAC; }
main "$@"
