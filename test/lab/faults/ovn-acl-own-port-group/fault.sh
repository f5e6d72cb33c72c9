#!/bin/bash
. "$(dirname "$0")/../lib.sh"
inject()  { nb pg-add quarantine $WEB_PORT; nb acl-add quarantine from-lport 3000 'inport == @quarantine && ip4' drop; }
heal()    { nb --if-exists destroy port_group quarantine; }
symptom() { ! gg; }
main "$@"
