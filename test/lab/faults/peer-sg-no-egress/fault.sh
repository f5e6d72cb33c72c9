#!/bin/bash
. "$(dirname "$0")/../lib.sh"
G=narrow
heal()    { adm "openstack port set --no-security-group --security-group $SG $WEB_PORT; openstack security group delete $G" >/dev/null 2>&1; }
inject()  { adm "openstack security group create $G -f value -c id; for r in \$(openstack security group rule list --egress $G -f value -c ID); do openstack security group rule delete \$r; done
  for p in icmp \"tcp --dst-port 22\" \"tcp --dst-port 80\"; do openstack security group rule create --proto \$p $G; done
  for n in 169.254.0.0/16 198.19.0.0/24; do openstack security group rule create --egress --remote-ip \$n $G; done
  openstack port set --no-security-group --security-group $G $WEB_PORT" >/dev/null; }
symptom() { ! gg && pw; }
main "$@"
