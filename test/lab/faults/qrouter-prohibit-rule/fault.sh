#!/bin/bash
. "$(dirname "$0")/../lib.sh"
inject()  { qr ip rule add from $WEB iif $(qrs "ip -o link | grep -oE 'qr-[0-9a-f-]+' | head -1") priority 90 prohibit; }
heal()    { qr ip rule del priority 90; true; }
symptom() { ! pf; }
main "$@"
