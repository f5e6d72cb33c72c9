#!/bin/bash
. "$(dirname "$0")/../lib.sh"
secret()  { hx net1 sed -i "s/^metadata_proxy_shared_secret *=.*/metadata_proxy_shared_secret = $1/" /etc/neutron/metadata_agent.ini; hx net1 systemctl restart neutron-metadata-agent; }
inject()  { secret not-novas-secret; }
heal()    { secret $PASS; }
symptom() { meta | grep -q ' 403'; }
main "$@"
