#!/bin/bash
. "$(dirname "$0")/../lib.sh"
inject()  { qr nft "add table ip hardening; add chain ip hardening hush { type filter hook forward priority 0; policy accept; }; add rule ip hardening hush ip daddr $WEB drop"; }
heal()    { qr nft delete table ip hardening; }
symptom() { ! pf && pw; }
main "$@"
