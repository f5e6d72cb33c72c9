#!/bin/bash
. "$(dirname "$0")/../lib.sh"
DEV=$LAB_RUN/ext-gateway.dev
inject()  { ip -n $LAB_NAME-ext -o -4 addr show | awk -v a=$EXT_GW '$4 ~ "^"a"/" {print $2}' > $DEV; ip -n $LAB_NAME-ext addr del $EXT_GW/24 dev $(cat $DEV); }
heal()    { ip -n $LAB_NAME-ext addr replace $EXT_GW/24 dev $(cat $DEV); }
symptom() { ! pf; }
main "$@"
