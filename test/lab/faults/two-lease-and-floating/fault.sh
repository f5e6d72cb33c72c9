#!/bin/bash
. "$(dirname "$0")/../lib.sh"
A="$F_ROOT/lease-entry-missing/fault.sh" B="$F_ROOT/fip-nat-missing/fault.sh"
inject()  { "$A" inject; "$B" inject; }
heal()    { "$A" heal; "$B" heal; }
symptom() { "$A" symptom && "$B" symptom; }
main "$@"
