#!/bin/bash
. "$(dirname "$0")/../lib.sh"
secret()  { hx cmp1 sed -i "s/^metadata_proxy_shared_secret *=.*/metadata_proxy_shared_secret = $1/" /etc/neutron/neutron_ovn_metadata_agent.ini; hx cmp1 systemctl restart neutron-ovn-metadata-agent; }
inject()  { secret not-novas-secret; }
heal()    { secret $PASS; }
symptom() { meta | grep -q ' 403'; }
main "$@"
