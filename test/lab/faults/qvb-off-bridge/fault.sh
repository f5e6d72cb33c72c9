#!/bin/bash
. "$(dirname "$0")/../lib.sh"
D() { echo qvb${WEB_TAP#tap}; }
inject()  { hx cmp1 ip link set $(D) nomaster; }
heal()    { hx cmp1 ip link set $(D) master qbr${WEB_TAP#tap}; }
symptom() { ! pw; }
main "$@"
