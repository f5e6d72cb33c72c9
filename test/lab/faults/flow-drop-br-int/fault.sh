#!/bin/bash
. "$(dirname "$0")/../lib.sh"
inject()  { hx net1 ovs-ofctl add-flow br-int "table=0,priority=50000,icmp,nw_src=$WEB,actions=drop"; }
heal()    { hx net1 ovs-ofctl --strict del-flows br-int "table=0,priority=50000,icmp,nw_src=$WEB"; }
symptom() { ! pw && pd; }
main "$@"
