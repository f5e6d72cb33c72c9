#!/bin/bash
. "$(dirname "$0")/../lib.sh"
# Debian's unit stops both databases with northd (see ovn-central-stopped), even when northd exits by itself: a drop-in keeps them
D=/run/systemd/system/ovn-northd.service.d
inject()  { hxs ctl "mkdir -p $D; printf '[Service]\nExecStop=\nExecStop=/usr/share/ovn/scripts/ovn-ctl stop_northd --ovn-manage-ovsdb=no\n' > $D/lab.conf; systemctl daemon-reload; systemctl stop ovn-northd"; }
heal()    { hxs ctl "rm -rf $D; systemctl daemon-reload; systemctl start ovn-northd"; }
symptom() { pf && nb show >/dev/null 2>&1 && ! hx ctl ovn-nbctl --timeout=3 --wait=sb sync >/dev/null 2>&1; }
main "$@"
