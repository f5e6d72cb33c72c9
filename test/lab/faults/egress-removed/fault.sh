#!/bin/bash
. "$(dirname "$0")/../lib.sh"
rules()   { api "9696/v2.0/security-group-rules?security_group_id=$SG&direction=egress" | jq -r ".security_group_rules[] | .id"; }
inject()  { adm "openstack security group rule delete $(rules | xargs)"; }
heal()    { local e; for e in IPv4 IPv6; do adm "openstack security group rule create --egress --ethertype $e $SG" >/dev/null 2>&1; done; }
out()     { g web-1 "ping -c1 -W2 198.19.0.1" >/dev/null 2>&1; }
symptom() { ! out && pw; }
main "$@"
