#!/bin/bash
. "$(dirname "$0")/../lib.sh"
is()      { server_has web-1 ".status==\"$1\" and .\"OS-EXT-STS:task_state\"==null"; }
inject()  { adm "openstack server stop web-1"; wait_for 60 "web-1 is SHUTOFF" is SHUTOFF; }
heal()    { is ACTIVE || adm "openstack server start web-1"; wait_for 60 "web-1 is ACTIVE" is ACTIVE; }
symptom() { is SHUTOFF && ! pw; }
main "$@"
