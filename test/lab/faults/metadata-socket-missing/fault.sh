#!/bin/bash
. "$(dirname "$0")/../lib.sh"
inject()  { hx net1 rm -f /var/lib/neutron/metadata_proxy; }
heal()    { hx net1 systemctl restart neutron-metadata-agent; }
symptom() { [ "$(meta)" != uuid ]; }
main "$@"
