#!/bin/bash
. "$(dirname "$0")/../lib.sh"
opts()    { nb set dhcp_options $(nbrow dhcp_options external_ids:subnet_id=$(subnet)) options:router=$1 options:classless_static_route="\"{169.254.169.254/32,10.0.0.2, 0.0.0.0/0,$1}\""; sleep 1; renew; }
inject()  { opts 10.0.0.77; }
heal()    { opts 10.0.0.1; }
symptom() { ! pf && g web-1 "ip route" | grep -q 10.0.0.77; }
main "$@"
