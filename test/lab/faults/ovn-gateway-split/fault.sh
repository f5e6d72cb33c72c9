#!/bin/bash
. "$(dirname "$0")/../lib.sh"
rule()    { fab ebtables $1 FORWARD -p IPv4 --ip-src 198.18.1.$2 --ip-dst 198.18.1.$3 --ip-proto udp --ip-dport 6081 -j DROP; }
inject()  { rule -I 20 32; rule -I 32 20; }
# Neutron binds the port anew at each change of hands, seconds each, and hears of no agent meanwhile: what it has still before it goes with its process
heal()    { rule -D 20 32; rule -D 32 20; hx ctl systemctl restart neutron-server; wait_for 60 neutron hx ctl curl -sf http://ctl:9696/; }
claims()  { hx $1 grep -cE '(Claiming|Changing chassis for) lport cr-lrp-' /var/log/ovn/ovn-controller.log; }
# the binding goes to and fro
symptom() { local n=$(claims net1) m=$(claims cmp2); sleep 8; [ $(claims net1) -gt $((n + 1)) ] && [ $(claims cmp2) -gt $((m + 1)) ]; }
main "$@"
