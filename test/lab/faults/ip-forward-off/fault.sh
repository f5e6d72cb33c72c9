#!/bin/bash
. "$(dirname "$0")/../lib.sh"
inject()  { qr sysctl -w net.ipv4.ip_forward=0; }
heal()    { qr sysctl -w net.ipv4.ip_forward=1; }
symptom() { ! pf && qr ping -c1 -W1 $WEB; }
main "$@"
