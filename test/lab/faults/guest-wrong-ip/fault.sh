#!/bin/bash
. "$(dirname "$0")/../lib.sh"
inject()  { g web-1 "ip addr flush dev eth0; ip addr add 10.0.0.99/24 dev eth0; ip route add default via 10.0.0.1"; }
heal()    { g web-1 "ip addr flush dev eth0; ip addr add $WEB/24 dev eth0; ip route add default via 10.0.0.1; killall -USR1 udhcpc"; }
symptom() { ! pw; }
main "$@"
