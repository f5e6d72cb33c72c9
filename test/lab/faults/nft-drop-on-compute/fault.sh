#!/bin/bash
. "$(dirname "$0")/../lib.sh"
inject()  { hx cmp1 nft "add table bridge hardening; add chain bridge hardening hush { type filter hook forward priority 0; policy accept; }; add rule bridge hardening hush ip daddr $WEB ip protocol icmp counter drop"; }
heal()    { hx cmp1 nft delete table bridge hardening; }
symptom() { ! pw; }
main "$@"
