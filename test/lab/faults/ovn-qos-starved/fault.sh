#!/bin/bash
. "$(dirname "$0")/../lib.sh"
m()       { echo "outport == \"$WEB_PORT\" && icmp4"; }
inject()  { nb --may-exist qos-add $(LS) to-lport 2000 "$(m)" rate=1 burst=1; }
heal()    { nb qos-del $(LS) to-lport 2000 "$(m)"; }
symptom() { ! from_ns ping -c 10 -i 0.2 -W1 $WEB | grep -q ' 0% packet loss'; }
main "$@"
