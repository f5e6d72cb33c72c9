#!/bin/bash
. "$(dirname "$0")/../lib.sh"
inject()  { hx cmp1 iptables -I OUTPUT -p tcp --dport 6642 -j REJECT --reject-with tcp-reset; hx cmp1 iptables -I INPUT -p tcp --sport 6642 -j DROP; }
heal()    { hx cmp1 iptables -D OUTPUT -p tcp --dport 6642 -j REJECT --reject-with tcp-reset; hx cmp1 iptables -D INPUT -p tcp --sport 6642 -j DROP; }
symptom() { ! alive cmp1 ovn-controller && pw && pf; }
main "$@"
