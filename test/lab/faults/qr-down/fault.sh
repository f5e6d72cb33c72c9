#!/bin/bash
. "$(dirname "$0")/../lib.sh"
dev()     { qrs "ip -o link | grep -oE 'qr-[0-9a-f-]+' | head -1"; }
inject()  { qr ip link set $(dev) down; }
heal()    { local d; d=$(dev); qr ip link set $d up; wait_for 10 "$d is up" qrs "ip -o link show $d up | grep -q LOWER_UP"; }
symptom() { ! pf; }
main "$@"
