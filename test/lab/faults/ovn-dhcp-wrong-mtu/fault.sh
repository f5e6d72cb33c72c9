#!/bin/bash
. "$(dirname "$0")/../lib.sh"
opts()    { nb set dhcp_options $(nbrow dhcp_options external_ids:subnet_id=$(subnet)) options:mtu=$1; }
told()    { g web-1 "printf '#!/bin/sh\necho mtu=\$mtu\n' > /tmp/told; chmod +x /tmp/told; udhcpc -i eth0 -n -q -f -O mtu -t 3 -T 2 -s /tmp/told" 12; }
inject()  { opts 1500; }
heal()    { opts $MTU; }
symptom() { told | grep -q mtu=1500; }
main "$@"
