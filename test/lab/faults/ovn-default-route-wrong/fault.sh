#!/bin/bash
. "$(dirname "$0")/../lib.sh"
R()       { nb --bare --columns=static_routes list logical_router $(LR) | tr ' ' '\n' | while read -r u; do [ "$(nb get logical_router_static_route $u ip_prefix)" = '"0.0.0.0/0"' ] && echo $u && break; done; }
inject()  { nb set logical_router_static_route $(R) nexthop=198.19.0.77; }
heal()    { nb set logical_router_static_route $(R) nexthop=$EXT_GW; }
symptom() { ! pf && gg; }
main "$@"
