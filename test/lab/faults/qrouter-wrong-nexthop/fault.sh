#!/bin/bash
. "$(dirname "$0")/../lib.sh"
inject()  { qr ip route add $WEB/32 via 10.0.0.99; }
heal()    { qr ip route del $WEB/32 via 10.0.0.99; true; }
symptom() { ! pf; }
main "$@"
