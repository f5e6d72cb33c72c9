#!/bin/bash
. "$(dirname "$0")/../lib.sh"
inject()  { del_flow cmp1 "table=65,priority=100,reg15=$(key $WEB_PORT),metadata=$(dpkey $WEB_PORT)"; }
heal()    { again cmp1; }
symptom() { ! pw; }
main "$@"
