#!/bin/bash
. "$(dirname "$0")/../lib.sh"
inject()  { qr ip route add blackhole $WEB/32; }
heal()    { qr ip route del blackhole $WEB/32; true; }
symptom() { ! pf; }
main "$@"
