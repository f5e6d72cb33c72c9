#!/bin/bash
. "$(dirname "$0")/../lib.sh"
D() { echo qvo${WEB_TAP#tap}; }
inject()  { hx cmp1 ip link set $(D) down; }
heal()    { hx cmp1 ip link set $(D) up; }
symptom() { ! pw; }
main "$@"
