#!/bin/bash
. "$(dirname "$0")/../lib.sh"
chain()   { hx cmp1 iptables -S | grep -oE "^-N neutron-[a-z]+-i${WEB_PORT:0:10}" | cut -d' ' -f2; }
cut_off() { if [ $V = ovsfw ]; then hxs cmp1 "ovs-ofctl --no-stats dump-flows br-int table=82 | grep 'icmp,' | sed -E 's/^ *cookie=[^,]*, //; s/ actions=.*//' | while read -r f; do ovs-ofctl --strict del-flows br-int \"\$f\"; done"
  else local r; while r=$(hx cmp1 iptables -S $(chain) | grep -- '-p icmp' | head -1) && [ -n "$r" ]; do hx cmp1 iptables ${r/#-A/-D}; done; fi; }
inject()  { cut_off; hxs cmp1 "conntrack -F" >/dev/null 2>&1; true; }
heal()    { hx cmp1 systemctl restart $L2; wait_for 60 "web-1 answers" pw; }
symptom() { ! pw; }
main "$@"
