#!/bin/bash
. "$(dirname "$0")/../lib.sh"
inject()  { nb dhcp-options-del $(nbrow dhcp_options external_ids:subnet_id=$(subnet)); }
heal()    { nb_repair; }
symptom() { no_lease; }
main "$@"
