#!/bin/bash
. "$(dirname "$0")/../lib.sh"
inject()  { hx cmp1 virsh destroy $(domain cmp1 web-1); }
on()      { hx cmp1 virsh domstate $(domain cmp1 web-1) | grep -q running && server_has web-1 '.status=="ACTIVE" and ."OS-EXT-STS:task_state"==null'; }
# Nova sees the domain's end by itself after some seconds and says SHUTOFF; before that only a hard reboot starts it
heal()    { local i; for i in 1 2 3; do on && return 0
  if server_has web-1 '.status=="SHUTOFF"'; then adm "openstack server start web-1"; else adm "openstack server reboot --hard web-1"; fi
  wait_for 20 "web-1 is on" on && return 0; done; }
symptom() { ! pw; }
main "$@"
