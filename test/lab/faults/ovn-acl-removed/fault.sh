#!/bin/bash
. "$(dirname "$0")/../lib.sh"
pg()      { PG=pg_${SG//-/_}; }
acls()    { nb --format=json --columns=_uuid,match,direction list acl | jq -r --arg p "@$PG " '.data[]|select(.[2]=="to-lport" and (.[1]|contains($p) and contains("icmp4")))|.[0][1]'; }
inject()  { pg; for u in $(acls); do nb remove port_group $PG acls $u; done; }
# what an operator does: Neutron writes its state into the NB again
heal()    { hxs ctl 'su -s /bin/sh neutron -c "neutron-ovn-db-sync-util --config-file /etc/neutron/neutron.conf --config-file /etc/neutron/plugins/ml2/ml2_conf.ini --config-file /etc/neutron/ovn-sync.ini --ovn-neutron_sync_mode repair"'; }
symptom() { pg; ! pw && [ -z "$(acls)" ]; }
main "$@"
