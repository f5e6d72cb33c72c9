#!/bin/bash
. "$(dirname "$0")/../lib.sh"
m()   { echo "outport == \"$WEB_PORT\" && icmp4"; }
inject()  { nb --may-exist acl-add $(LS) to-lport 2000 "$(m)" drop; }
heal()    { nb acl-del $(LS) to-lport 2000 "$(m)"; }
symptom() { ! pw && hf; }
main "$@"
