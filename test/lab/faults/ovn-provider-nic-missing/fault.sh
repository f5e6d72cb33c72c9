#!/bin/bash
. "$(dirname "$0")/../lib.sh"
inject()  { hx net1 ovs-vsctl --if-exists del-port br-ex eth2; }
heal()    { hx net1 ovs-vsctl --may-exist add-port br-ex eth2; }
symptom() { ! pf && gg; }
main "$@"
