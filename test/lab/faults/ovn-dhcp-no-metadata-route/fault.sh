#!/bin/bash
. "$(dirname "$0")/../lib.sh"
opts()    { nb set dhcp_options $(nbrow dhcp_options external_ids:subnet_id=$(subnet)) options:classless_static_route="$1"; sleep 1; g web-1 "ip route flush 169.254.169.254"; renew; }
inject()  { opts '"{0.0.0.0/0,10.0.0.1}"'; }
heal()    { opts '"{169.254.169.254/32,10.0.0.2, 0.0.0.0/0,10.0.0.1}"'; }
symptom() { [ "$(meta)" != uuid ]; }
main "$@"
