#!/bin/bash
. "$(dirname "$0")/../lib.sh"
inject()  { F=/var/lib/neutron/dhcp/$NET; hxs net1 "cp -a $F/host $F/host.lab; sed -i '/$WEB_MAC/d' $F/host; sed -i '/$WEB_MAC/d' $F/leases; kill -HUP \$(cat $F/pid)"; }
heal()    { F=/var/lib/neutron/dhcp/$NET; hxs net1 "[ ! -e $F/host.lab ] || mv $F/host.lab $F/host; kill -HUP \$(cat $F/pid)"; }
symptom() { no_lease; }
main "$@"
