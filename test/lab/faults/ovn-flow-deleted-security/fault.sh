#!/bin/bash
. "$(dirname "$0")/../lib.sh"
inject()  { hxs cmp1 "for t in 43 44 45 46 47; do ovs-ofctl del-flows br-int table=\$t,icmp,metadata=$(dpkey $WEB_PORT),reg15=$(key $WEB_PORT); done; ovs-ofctl dump-flows br-int | grep -c icmp"; }
heal()    { again cmp1; }
symptom() { ! pw && hf; }
main "$@"
