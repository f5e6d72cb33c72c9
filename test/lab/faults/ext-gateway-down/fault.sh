#!/bin/bash
. "$(dirname "$0")/../lib.sh"
dev()     { ip -n $LAB_NAME-ext -o addr show | awk -v a=$EXT_GW '$4 ~ "^"a"/" {print $2}'; }
inject()  { ip -n $LAB_NAME-ext addr del $EXT_GW/24 dev $(dev); }
heal()    { ip -n $LAB_NAME-ext addr replace $EXT_GW/24 dev ${D:-$(ip -n $LAB_NAME-ext -o link | grep -oE '[^ ]*extern[^@: ]*|ext[^@: ]*' | head -1)}; }
symptom() { ! pf; }
main "$@"
