#!/bin/bash
. "$(dirname "$0")/../lib.sh"
inject()  { nb lrp-set-enabled lrp-$(rport router_interface) disabled; }
heal()    { nb lrp-set-enabled lrp-$(rport router_interface) enabled; }
symptom() { ! pf && gg; }
main "$@"
