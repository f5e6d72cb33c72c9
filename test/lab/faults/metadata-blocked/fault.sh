#!/bin/bash
. "$(dirname "$0")/../lib.sh"
inject()  { qr iptables -I INPUT -p tcp --dport 9697 -j DROP; }
heal()    { qr iptables -D INPUT -p tcp --dport 9697 -j DROP; }
symptom() { [ "$(meta)" != uuid ]; }
main "$@"
