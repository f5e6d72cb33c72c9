#!/bin/bash
. "$(dirname "$0")/../lib.sh"
inject()  { nb --if-exists lr-route-del $(LR) 0.0.0.0/0; }
heal()    { nb_repair; }
symptom() { ! pf && gg; }
main "$@"
