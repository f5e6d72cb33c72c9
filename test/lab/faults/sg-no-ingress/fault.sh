#!/bin/bash
. "$(dirname "$0")/../lib.sh"
rules()   { api "9696/v2.0/security-group-rules?security_group_id=$SG&direction=ingress" | jq -r '.security_group_rules[] | select(.protocol=="icmp" or .port_range_min==22) | .id'; }
inject()  { adm "openstack security group rule delete $(rules | xargs)"; }
heal()    { [ -n "$(rules)" ] || adm "openstack security group rule create --proto icmp $SG; openstack security group rule create --proto tcp --dst-port 22 $SG" >/dev/null; }
symptom() { ! pw; }
main "$@"
