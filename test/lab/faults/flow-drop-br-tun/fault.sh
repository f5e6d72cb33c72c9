#!/bin/bash
. "$(dirname "$0")/../lib.sh"
inject()  { hx net1 ovs-ofctl add-flow br-tun "table=0,priority=50000,dl_dst=$WEB_MAC,actions=drop"; }
heal()    { hx net1 ovs-ofctl --strict del-flows br-tun "table=0,priority=50000,dl_dst=$WEB_MAC"; }
symptom() { ! pw && pd; }
main "$@"
