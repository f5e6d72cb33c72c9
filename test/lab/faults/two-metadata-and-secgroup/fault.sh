#!/bin/bash
. "$(dirname "$0")/../lib.sh"
O="$F_ROOT/sg-no-ingress/fault.sh"
inject()  { hx net1 systemctl stop neutron-metadata-agent; "$O" inject; }
heal()    { hx net1 systemctl start neutron-metadata-agent; "$O" heal; }
symptom() { "$O" symptom && [ "$(meta)" != uuid ]; }
main "$@"
