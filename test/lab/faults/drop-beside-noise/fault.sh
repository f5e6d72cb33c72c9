#!/bin/bash
. "$(dirname "$0")/../lib.sh"
noise()   { hx cmp1 iptables $1 INPUT -p udp -m u32 --u32 '0>>22&0x3C@0&0xFFFF=9' -j DROP; }   # a match of which only the kernel can say what it takes
rule()    { hx cmp1 iptables $1 FORWARD -m physdev --physdev-out $WEB_TAP --physdev-is-bridged -p icmp -j DROP; }
inject()  { noise -I; hx net1 systemd-run --quiet --unit=noise bash -c 'while :; do echo x > /dev/udp/198.18.0.31/9; sleep 0.2; done'; rule -I; }
heal()    { rule -D; hx net1 systemctl stop noise; noise -D; }
symptom() { ! pw; }
main "$@"
