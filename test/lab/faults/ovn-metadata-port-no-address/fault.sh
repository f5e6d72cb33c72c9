#!/bin/bash
. "$(dirname "$0")/../lib.sh"
inject()  { local p=$(md_port); nb lsp-set-addresses $p "$(api 9696/v2.0/ports/$p | jq -r .port.mac_address)"; nb remove logical_switch_port $p external_ids '"neutron:cidrs"'; hx cmp1 systemctl restart neutron-ovn-metadata-agent; }
heal()    { local p=$(md_port); nb lsp-set-addresses $p "$(api 9696/v2.0/ports/$p | jq -r '"\(.port.mac_address) \(.port.fixed_ips[0].ip_address)"')"; nb set logical_switch_port $p external_ids:neutron\\:cidrs=10.0.0.2/24; for h in cmp1 cmp2; do hx $h systemctl restart neutron-ovn-metadata-agent; done; }
symptom() { [ "$(meta)" != uuid ]; }
main "$@"
