#!/bin/bash
. "$(dirname "$0")/../lib.sh"
opts()    { nb set dhcp_options $(nbrow dhcp_options external_ids:subnet_id=$(subnet)) options:dns_server="{$1}"; }
told()    { g web-1 "printf '#!/bin/sh\necho dns=\$dns\n' > /tmp/told; chmod +x /tmp/told; udhcpc -i eth0 -n -q -f -t 3 -T 2 -s /tmp/told" 12; }
inject()  { opts 10.0.0.78; renew; }
heal()    { opts $EXT_GW; renew; }
symptom() { told | grep -q dns=10.0.0.78; }
main "$@"
