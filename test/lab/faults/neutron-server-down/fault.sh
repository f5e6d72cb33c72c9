#!/bin/bash
. "$(dirname "$0")/../lib.sh"
inject()  { hx ctl systemctl stop neutron-server; }
heal()    { hx ctl systemctl start neutron-server; }
symptom() { ! api 9696/v2.0/agents >/dev/null; }
main "$@"
