#!/bin/bash
. "$(dirname "$0")/../lib.sh"
inject()  { qr ip route del default; }
heal()    { qr ip route replace default via $EXT_GW dev $(qrs "ip -o link | grep -oE 'qg-[0-9a-f-]+' | head -1"); }
symptom() { ! pf && ! qrs "ip route | grep -q ^default"; }
main "$@"
