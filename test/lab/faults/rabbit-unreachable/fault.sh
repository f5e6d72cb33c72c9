#!/bin/bash
. "$(dirname "$0")/../lib.sh"
rules()   { hx cmp1 iptables $1 OUTPUT -p tcp --dport 5672 -j REJECT --reject-with tcp-reset; hx cmp1 iptables $1 INPUT -p tcp --sport 5672 -j DROP; }
inject()  { rules -I; }
heal()    { rules -D; }
symptom() { if [ "$V" = ovn ]; then compute_has cmp1 '.state=="down"'; else ! alive cmp1 $L2; fi; }   # ovn-controller does not use RabbitMQ
main "$@"
