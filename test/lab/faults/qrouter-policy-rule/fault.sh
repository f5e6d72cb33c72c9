#!/bin/bash
. "$(dirname "$0")/../lib.sh"
inject()  { qr ip route add unreachable default table 100; qr ip rule add to $WEB priority 100 lookup 100; }
heal()    { qr ip rule del priority 100; qr ip route flush table 100; true; }
symptom() { ! pf; }
main "$@"
