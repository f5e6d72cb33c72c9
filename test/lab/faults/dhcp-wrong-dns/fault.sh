#!/bin/bash
. "$(dirname "$0")/../lib.sh"
opts()    { hxs net1 "sed -i 's/dns-server,$1/dns-server,$2/' /var/lib/neutron/dhcp/$NET/opts; kill -HUP \$(cat /var/lib/neutron/dhcp/$NET/pid)"; }
# udhcpc calls its script with what it was told in the environment
told()    { g web-1 "printf '#!/bin/sh\necho dns=\$dns\n' > /tmp/told; chmod +x /tmp/told; udhcpc -i eth0 -n -q -f -t 3 -T 2 -s /tmp/told" 12; }
inject()  { opts $EXT_GW 10.0.0.78; renew; }
heal()    { opts 10.0.0.78 $EXT_GW; renew; }
symptom() { told | grep -q dns=10.0.0.78; }
main "$@"
