#!/bin/bash
. "$(dirname "$0")/../lib.sh"
R="neutron-l3-agent-PREROUTING -d 169.254.169.254/32 -i qr-+ -p tcp -m tcp --dport 80 -j REDIRECT --to-ports 9697"
inject()  { qr iptables -t nat -D $R; }
heal()    { qr iptables -t nat -C $R 2>/dev/null || qr iptables -t nat -A $R; }
symptom() { [ "$(meta)" != uuid ]; }
main "$@"
