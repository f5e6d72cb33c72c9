#!/bin/bash
. "$(dirname "$0")/../lib.sh"
inject()  { nb set nat $(nbrow nat external_ip=$FIP) external_mac='"fa:16:3e:77:77:77"'; ip -n $LAB_NAME-ext neigh flush to $FIP; }
heal()    { nb clear nat $(nbrow nat external_ip=$FIP) external_mac; ip -n $LAB_NAME-ext neigh flush to $FIP; }
symptom() { ! pf && gg; }
main "$@"
