#!/bin/bash
. "$(dirname "$0")/../lib.sh"
inject()  { nb --if-exists lr-nat-del $(LR) snat 10.0.0.0/24; }
heal()    { nb --may-exist lr-nat-add $(LR) snat $GWIP 10.0.0.0/24; }
symptom() { pf && ! g db-1 "ping -c1 -W2 $EXT_GW" >/dev/null 2>&1; }
main "$@"
