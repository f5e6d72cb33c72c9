#!/bin/bash
. "$(dirname "$0")/../lib.sh"
# the agent does not look at its rules again until the router changes
SAVED=$LAB_RUN/fip-nat.rules
rules()   { qrs "iptables-save -t nat" | grep -E -- "^-A .* $FIP(/32)?( |$)"; }
put()     { { echo '*nat'; cat; echo COMMIT; } | qr iptables-restore -n; }
inject()  { rules > $SAVED; sed 's/^-A/-D/' $SAVED | put; }
heal()    { [ -n "$(rules)" ] || put < $SAVED; }
# the address itself stays on the router, which then answers pings in the instance's place: only TCP tells
symptom() { [ -z "$(rules)" ] && ! hf; }
main "$@"
