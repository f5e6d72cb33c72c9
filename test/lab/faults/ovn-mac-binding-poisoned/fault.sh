#!/bin/bash
. "$(dirname "$0")/../lib.sh"
row()     { sb --bare --columns=_uuid find mac_binding ip=$EXT_GW logical_port=lrp-$(rport router_gateway); }
inject()  { [ -n "$(row)" ] || pf; sb set mac_binding $(row) mac='"02:00:00:00:00:99"'; }
heal()    { sb destroy mac_binding $(row); }
symptom() { ! pf && gg; }
main "$@"
