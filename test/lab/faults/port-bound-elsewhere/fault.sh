#!/bin/bash
. "$(dirname "$0")/../lib.sh"
bind()    { adm "openstack port set --host $1 $WEB_PORT"; }
inject()  { bind cmp2; }
heal()    { bind cmp1; case $V in ovs*) restart_ovs_agent cmp1;; esac; }
symptom() { port_has $WEB_PORT '."binding:host_id"=="cmp2"' && ! port_has $WEB_PORT '.status=="ACTIVE"'; }
main "$@"
