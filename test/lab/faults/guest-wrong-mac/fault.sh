#!/bin/bash
. "$(dirname "$0")/../lib.sh"
inject()  { g web-1 "ip link set eth0 down; ip link set eth0 address fa:16:3e:00:00:99; ip link set eth0 up; ip route add default via 10.0.0.1"; }
heal()    { g web-1 "ip link set eth0 down; ip link set eth0 address $WEB_MAC; ip link set eth0 up; ip route add default via 10.0.0.1; killall -USR1 udhcpc"; }
symptom() { ! pw; }
main "$@"
