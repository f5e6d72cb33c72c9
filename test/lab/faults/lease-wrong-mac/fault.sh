#!/bin/bash
. "$(dirname "$0")/../lib.sh"
B=02:00:00:00:00:01
hup()     { hxs net1 "kill -HUP \$(cat /var/lib/neutron/dhcp/$NET/pid)"; }
inject()  { hx net1 sed -i "s/$WEB_MAC/$B/" /var/lib/neutron/dhcp/$NET/host; hxs net1 "sed -i '/$WEB_MAC/d' /var/lib/neutron/dhcp/$NET/leases"; hup; }
heal()    { hx net1 sed -i "s/$B/$WEB_MAC/" /var/lib/neutron/dhcp/$NET/host; hup; }
symptom() { ! g web-1 "udhcpc -i eth0 -n -q -t 2 -T 2 -s /bin/true" 12 >/dev/null 2>&1; }
main "$@"
