#!/bin/bash
. "$(dirname "$0")/../lib.sh"
opts()    { nb --bare --columns=_uuid find dhcp_options external_ids:subnet_id=$(adm "openstack network show private -f value -c subnets" | grep -oE '[0-9a-f-]{36}' | head -1) | head -1; }
inject()  { nb lsp-set-dhcpv4-options $WEB_PORT; }
heal()    { nb lsp-set-dhcpv4-options $WEB_PORT $(opts); }
symptom() { ! g web-1 "udhcpc -i eth0 -n -q -t 2 -T 2 -s /bin/true" 12 >/dev/null 2>&1; }
main "$@"
