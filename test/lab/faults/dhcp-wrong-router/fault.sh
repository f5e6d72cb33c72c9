#!/bin/bash
. "$(dirname "$0")/../lib.sh"
opts()    { hxs net1 "sed -i 's/$1/$2/g' /var/lib/neutron/dhcp/$NET/opts; kill -HUP \$(cat /var/lib/neutron/dhcp/$NET/pid)"; }
inject()  { opts '\b10\.0\.0\.1\b' 10.0.0.77; renew; }
heal()    { opts '\b10\.0\.0\.77\b' 10.0.0.1; renew; }
symptom() { ! pf && g web-1 "ip route" | grep -q 10.0.0.77; }
main "$@"
