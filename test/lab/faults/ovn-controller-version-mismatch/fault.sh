#!/bin/bash
. "$(dirname "$0")/../lib.sh"
B=/usr/bin/ovn-controller
# the version stands in the binary: another one, of the same length
inject()  { hx cmp1 ovn-appctl -t ovn-controller exit --restart; hxs cmp1 "cp $B $B.lab; sed 's/23\.03\.1/23.03.0/g' $B.lab > $B.new; chmod 755 $B.new; mv $B.new $B; ovs-vsctl set open_vswitch . external_ids:ovn-match-northd-version=true"; hx cmp1 systemctl restart ovn-controller; }
heal()    { hxs cmp1 "ovs-vsctl remove open_vswitch . external_ids ovn-match-northd-version; [ ! -e $B.lab ] || mv $B.lab $B"; again cmp1; }
symptom() { pw && ! hx ctl ovn-nbctl --timeout=3 --wait=hv sync >/dev/null 2>&1; }
main "$@"
