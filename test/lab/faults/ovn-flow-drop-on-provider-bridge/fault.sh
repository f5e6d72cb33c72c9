#!/bin/bash
. "$(dirname "$0")/../lib.sh"
inject()  { hx net1 ovs-ofctl add-flow br-ex "priority=1000,ip,nw_dst=$FIP,actions=drop"; }
heal()    { hx net1 ovs-ofctl --strict del-flows br-ex "priority=1000,ip,nw_dst=$FIP"; }
symptom() { ! pf && gg; }
main "$@"
