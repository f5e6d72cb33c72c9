#!/bin/bash
. "$(dirname "$0")/../lib.sh"
inject()  { hx ctl systemctl stop ovn-northd; }
heal()    { hx ctl systemctl start ovn-ovsdb-server-nb ovn-ovsdb-server-sb ovn-northd; }
symptom() { pf && ! nb show >/dev/null 2>&1 && ! sb show >/dev/null 2>&1; }
main "$@"
