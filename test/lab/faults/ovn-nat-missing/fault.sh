#!/bin/bash
. "$(dirname "$0")/../lib.sh"
inject()  { nb --if-exists lr-nat-del $(LR) dnat_and_snat $FIP; }
heal()    { nb_repair; }
symptom() { ! hf && gg; }
main "$@"
