#!/bin/bash
. "$(dirname "$0")/../lib.sh"
inject()  { hx cmp1 systemctl stop neutron-ovn-metadata-agent; }
heal()    { hx cmp1 systemctl start neutron-ovn-metadata-agent; }
symptom() { ! g web-1 "timeout 6 wget -q -O /dev/null http://169.254.169.254/openstack/latest/meta_data.json" >/dev/null 2>&1; }
main "$@"
