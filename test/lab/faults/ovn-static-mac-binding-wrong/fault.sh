#!/bin/bash
. "$(dirname "$0")/../lib.sh"
inject()  { nb --id=@b create static_mac_binding logical_port=lrp-$(rport router_gateway) ip=$EXT_GW mac='"02:00:00:00:00:99"' override_dynamic_mac=true; }
heal()    { local u; for u in $(nb --bare --columns=_uuid find static_mac_binding ip=$EXT_GW); do nb destroy static_mac_binding $u; done; }
symptom() { ! pf && gg; }
main "$@"
