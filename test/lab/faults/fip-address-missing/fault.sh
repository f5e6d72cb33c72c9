#!/bin/bash
. "$(dirname "$0")/../lib.sh"
inject()  { qr ip addr del $FIP/32 dev $(qg); }
heal()    { qr ip addr replace $FIP/32 dev $(qg); }
symptom() { ! hf; }
main "$@"
