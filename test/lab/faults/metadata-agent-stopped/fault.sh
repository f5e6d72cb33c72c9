#!/bin/bash
. "$(dirname "$0")/../lib.sh"
inject()  { hx net1 systemctl stop neutron-metadata-agent; }
heal()    { hx net1 systemctl start neutron-metadata-agent; }
symptom() { [ "$(meta)" != uuid ]; }
main "$@"
