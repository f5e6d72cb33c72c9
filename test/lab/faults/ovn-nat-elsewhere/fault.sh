#!/bin/bash
. "$(dirname "$0")/../lib.sh"
inject()  { nb set nat $(nbrow nat external_ip=$FIP) logical_ip=10.0.0.250; }
heal()    { nb set nat $(nbrow nat external_ip=$FIP) logical_ip=$WEB; }
symptom() { ! pf && gg; }
main "$@"
