#!/bin/bash
. "$(dirname "$0")/../lib.sh"
inject()  { qr ip addr del $FIP/32 dev $(qg); ip -n $LAB_NAME-ext neigh flush to $FIP; }
heal()    { qr ip addr replace $FIP/32 dev $(qg); }
symptom() { ! hf; }
main "$@"
