#!/bin/bash
. "$(dirname "$0")/../lib.sh"
icmp()    { api "9696/v2.0/security-group-rules?security_group_id=$SG&direction=ingress&protocol=icmp" | jq -r '.security_group_rules[].id'; }
inject()  { adm "openstack security group create nobody; openstack security group rule delete $(icmp | xargs); openstack security group rule create --proto icmp --remote-group nobody $SG"; }
heal()    { adm "openstack security group rule delete $(icmp | xargs); openstack security group rule create --proto icmp $SG; openstack security group delete nobody" >/dev/null; }
symptom() { ! pw; }
main "$@"
