#!/bin/bash
. "$(dirname "$0")/../lib.sh"
inject()  { nb --may-exist lr-policy-add $(LR) 1000 "ip4.dst == $WEB" drop; }
heal()    { nb --if-exists lr-policy-del $(LR) 1000 "ip4.dst == $WEB"; }
symptom() { ! pf && gg; }
main "$@"
