#!/bin/bash
. "$(dirname "$0")/../lib.sh"
inject()  { hx ctl ovn-appctl -t ovn-northd pause; }
heal()    { hx ctl ovn-appctl -t ovn-northd resume; }
symptom() { pf && ! hx ctl ovn-nbctl --timeout=3 --wait=sb sync >/dev/null 2>&1; }
main "$@"
