#!/bin/bash
. "$(dirname "$0")/../lib.sh"
inject()  { if [ $V = ovsfw ]; then hx cmp1 ovs-ofctl add-flow br-int "table=0,priority=40000,arp,arp_tpa=$WEB,actions=drop"; else hx cmp1 ebtables -t filter -I FORWARD -p ARP -o $WEB_TAP -j DROP; fi
  hx net1 ip -n qdhcp-$NET neigh flush to $WEB; hx net1 ip -n qrouter-$RTR neigh flush to $WEB; }
heal()    { if [ $V = ovsfw ]; then hx cmp1 ovs-ofctl --strict del-flows br-int "table=0,priority=40000,arp,arp_tpa=$WEB"; else hx cmp1 ebtables -t filter -D FORWARD -p ARP -o $WEB_TAP -j DROP; fi; }
symptom() { ! pw; }
main "$@"
