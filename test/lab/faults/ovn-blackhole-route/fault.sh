#!/bin/bash
. "$(dirname "$0")/../lib.sh"
inject()  { nb --may-exist lr-route-add $(LR) 198.18.0.0/24 discard; }
heal()    { nb --if-exists lr-route-del $(LR) 198.18.0.0/24; }
symptom() { ! pf && gg; }
main "$@"
