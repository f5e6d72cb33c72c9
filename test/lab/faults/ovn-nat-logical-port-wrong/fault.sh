#!/bin/bash
. "$(dirname "$0")/../lib.sh"
nat()     { nbrow nat external_ip=$MULTI_FIP; }
inject()  { nb set nat $(nat) logical_port=00000000-0000-4000-8000-000000000000; ip -n $LAB_NAME-ext neigh flush to $MULTI_FIP; }
heal()    { nb set nat $(nat) logical_port=$MULTI_PORT; ip -n $LAB_NAME-ext neigh flush to $MULTI_FIP; }
symptom() { ! hx op ping -c1 -W1 $MULTI_FIP; }
main "$@"
