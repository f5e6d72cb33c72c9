#!/bin/bash
. "$(dirname "$0")/../lib.sh"
P=198.18.1.31
inject()  { if [ $V = lb ]; then hx net1 bridge fdb del $WEB_MAC dev vxlan-$VNI dst $P; hx net1 bridge fdb del 00:00:00:00:00:00 dev vxlan-$VNI dst $P
  else hx net1 ovs-ofctl del-flows br-tun table=20; hx net1 ovs-ofctl del-flows br-tun table=22; fi; }
heal()    { if [ $V = lb ]; then hx net1 bridge fdb append 00:00:00:00:00:00 dev vxlan-$VNI dst $P; hx net1 bridge fdb replace $WEB_MAC dev vxlan-$VNI dst $P; else hx net1 systemctl restart $L2; fi; }
symptom() { ! pw; }
main "$@"
