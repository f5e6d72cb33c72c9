#!/bin/bash
. "$(dirname "$0")/../lib.sh"
inject()  { hx cmp1 ovs-ofctl add-flow br-int "table=0,priority=65000,icmp,nw_src=$WEB,actions=drop"; }
heal()    { hx cmp1 ovs-ofctl --strict del-flows br-int "table=0,priority=65000,icmp,nw_src=$WEB"; }
symptom() { ! pw; }
main "$@"
