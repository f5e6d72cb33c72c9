#!/bin/bash
. "$(dirname "$0")/../lib.sh"
ssh22()   { hx op bash -c "exec 3<>/dev/tcp/$FIP/22 && timeout 3 head -c 3 <&3" </dev/null 2>/dev/null | grep -q SSH; }
# the loop that starts nc again goes first
inject()  { g web-1 'n=$(pidof nc | cut -d" " -f1); kill -9 $(cut -d" " -f4 /proc/$n/stat) $n' >/dev/null; }
heal()    { g web-1 '{ while :; do nc -l -p 22 -e /bin/sshbanner; done >/dev/null 2>&1 & }' >/dev/null; }
symptom() { ! ssh22 && pw; }
main "$@"
