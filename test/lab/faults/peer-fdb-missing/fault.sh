#!/bin/bash
. "$(dirname "$0")/../lib.sh"
P=198.18.1.32
DB_MAC=$(api 9696/v2.0/ports | jq -r --arg a "$DB" ".ports[] | select(any(.fixed_ips[]; .ip_address==\$a)) | select(.network_id==\"$NET\") | .mac_address")
tun()     { hx cmp1 ovs-vsctl get interface vxlan-c6120120 ofport; }
floods()  { hx cmp1 ovs-ofctl --no-stats dump-flows br-tun table=22 | sed "s/^ *//" | grep -E "output:$(tun)(,|\$)"; }
cut_off() { local p f
  if [ $V = lb ]; then hx cmp1 bridge fdb del $DB_MAC dev vxlan-$VNI dst $P; hx cmp1 bridge fdb del 00:00:00:00:00:00 dev vxlan-$VNI dst $P
  else p=$(tun); hx cmp1 ovs-ofctl del-flows br-tun "table=20,dl_dst=$DB_MAC"; floods | while read -r f; do hx cmp1 ovs-ofctl mod-flows br-tun "$(sed -E "s/,output:$p(,|\$)/\1/; s/ actions=/,actions=/" <<<"$f")"; done; fi
  g web-1 "ip neigh flush to $DB" >/dev/null 2>&1; }
back()    { if [ $V = lb ]; then hx cmp1 bridge fdb show dev vxlan-$VNI | grep -q "^00:00:00:00:00:00 dst $P"; else floods | grep -q .; fi; }
inject()  { local i; for i in 1 2 3; do cut_off; wait_for 6 "entries are back" back >/dev/null 2>&1 || break; done; }
heal()    { if [ $V = lb ]; then hx cmp1 bridge fdb append 00:00:00:00:00:00 dev vxlan-$VNI dst $P; hx cmp1 bridge fdb replace $DB_MAC dev vxlan-$VNI dst $P; else restart_ovs_agent cmp1; fi; }
symptom() { ! gg && pw; }
main "$@"
