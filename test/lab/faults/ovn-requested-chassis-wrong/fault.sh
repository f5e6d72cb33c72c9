#!/bin/bash
. "$(dirname "$0")/../lib.sh"
inject()  { nb set logical_switch_port $WEB_PORT options:requested-chassis=cmp2; }
heal()    { nb set logical_switch_port $WEB_PORT options:requested-chassis=cmp1; }
symptom() { ! pw; }
main "$@"
