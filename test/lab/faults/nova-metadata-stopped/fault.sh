#!/bin/bash
. "$(dirname "$0")/../lib.sh"
inject()  { hx ctl systemctl stop nova-api-metadata; }
heal()    { hx ctl systemctl start nova-api-metadata; }
symptom() { [ "$(meta)" != uuid ]; }
main "$@"
