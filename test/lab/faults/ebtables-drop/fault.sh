#!/bin/bash
. "$(dirname "$0")/../lib.sh"
inject()  { hx cmp1 ebtables -t filter -I FORWARD -p IPv4 --ip-dst $WEB -j DROP; }
heal()    { hx cmp1 ebtables -t filter -D FORWARD -p IPv4 --ip-dst $WEB -j DROP; }
symptom() { ! pw; }
main "$@"
