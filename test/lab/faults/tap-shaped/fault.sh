#!/bin/bash
. "$(dirname "$0")/../lib.sh"
inject()  { hx cmp1 tc qdisc replace dev $WEB_TAP root tbf rate 24kbit burst 2k latency 300ms; }
heal()    { hx cmp1 tc qdisc del dev $WEB_TAP root; }
symptom() { ! from_ns ping -c 6 -i 0.2 -W1 -s 1400 $WEB | grep -q ' 0% packet loss'; }
main "$@"
