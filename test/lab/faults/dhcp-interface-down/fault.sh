#!/bin/bash
. "$(dirname "$0")/../lib.sh"
inject()  { qd ip link set $(dhcp_dev) down; }
heal()    { qd ip link set $(dhcp_dev) up; }
symptom() { no_lease; }
main "$@"
