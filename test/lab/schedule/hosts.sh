#!/bin/bash
# hosts.sh up|down | start HOST|stop HOST | cell-stop|cell-drop|cell-start|cell-disable|cell-enable | undiscover HOST|rediscover HOST|discover   (schedule.sh calls it)
# More hosts than the lab has, for a while: nova-compute with Nova's fake driver, which holds instances that are none.
#   sched-f1  10 VCPU, 8 GB, cell1        sched-f2  2 VCPU, 8 GB, cell1        sched-c2  10 VCPU, 8 GB, cell2
# They run on ctl. cell2 has its own database, vhost and conductor; its database is reached by a port of its own (3307), so that it can be cut off.
. "$(dirname "$0")/../lib.sh"
hosts="sched-f1 sched-f2 sched-c2"
# what nova-compute of that host reads: ctl's nova.conf without the databases, and its own lines
write_conf() { hxs ctl "set -e; umask 027; mkdir -p -m 755 /etc/nova/sched /var/lib/nova/$1; chown nova: /var/lib/nova/$1
  sed '/^\[api_database\]/,/^\[/{/^connection/d}; /^\[database\]/,/^\[/{/^connection/d}' /etc/nova/nova.conf > /etc/nova/sched/compute.conf
  printf '%s\n' '[DEFAULT]' 'host = $1' 'transport_url = rabbit://openstack:$PASS@ctl:5672/$3' 'state_path = /var/lib/nova/$1' 'compute_driver = fake.$2' \
    'reserved_host_memory_mb = 512' 'ram_allocation_ratio = 1.0' 'sync_power_state_interval = -1' 'update_resources_interval = 3600' > /etc/nova/sched/$1.conf
  chgrp nova /etc/nova/sched/*.conf"; }
unit() { local u=$1; shift; hxs ctl "systemctl reset-failed $u 2>/dev/null; systemctl is-active -q $u || systemd-run -q --unit=$u --uid=nova --gid=nova -p WorkingDirectory=/var/lib/nova $*"; }
start() { unit $1 /usr/bin/nova-compute --config-file=/etc/nova/sched/compute.conf --config-file=/etc/nova/sched/$1.conf --log-file=/var/log/nova/nova-compute-$1.log; }
conductor2() { unit sched-conductor2 /usr/bin/nova-conductor --config-file=/etc/nova/nova.conf --config-file=/etc/nova/sched/cell2.conf --log-file=/var/log/nova/nova-conductor-cell2.log; }
manage() { hxs ctl "su -s /bin/sh nova -c 'nova-manage $*'" 2>&1 | grep -v eventlet || true; }
cell2() { hx ctl mysql -N nova_api -e "SELECT uuid FROM cell_mappings WHERE name = 'cell2'"; }
# Nova's API and scheduler keep the cells in mind
reread() { hx ctl systemctl restart nova-scheduler nova-api; wait_for 60 nova hx ctl curl -sf http://ctl:8774/; }
up_hosts() { api "8774/v2.1/os-services?binary=nova-compute" | jq -e '[.services[] | select((.host|startswith("sched-")) and .state=="up")] | length == 3'; }
known() { api8778 "/resource_providers" | jq -e '[.resource_providers[] | select(.name|startswith("sched-"))] | length == 3'; }
api8778() { printf 'X-Auth-Token: %s\nOpenStack-API-Version: placement 1.36\n' "$(token)" | hx ctl curl -sf -m 30 -H @- ${2:+-X $2} "http://ctl:8778$1"; }
# its packets come to nothing
drop()   { hxs ctl 'iptables -w -C INPUT -p tcp --dport 3307 -j DROP 2>/dev/null || iptables -w -I INPUT -p tcp --dport 3307 -j DROP'; }
undrop() { hxs ctl 'while iptables -w -D INPUT -p tcp --dport 3307 -j DROP 2>/dev/null; do :; done'; }
proxy_on()  { undrop; hxs ctl 'systemctl is-active -q sched-db2.socket || systemd-run -q --unit=sched-db2 --socket-property=ListenStream=3307 /lib/systemd/systemd-socket-proxyd 127.0.0.1:3306'; }
proxy_off() { hxs ctl 'systemctl stop sched-db2.socket sched-db2.service 2>/dev/null; true'; }
# the cell as a whole: a run that was cut off may have left a part of it
made() { [ -n "$(cell2)" ] && hxs ctl "test -e /etc/nova/sched/cell2.conf && rabbitmqctl -q list_vhosts | grep -qx cell2 && mysql -N nova_cell2 -e 'SELECT COUNT(*) FROM services' >/dev/null 2>&1"; }
up() {
  write_conf sched-f1 MediumFakeDriver; write_conf sched-f2 SmallFakeDriver; write_conf sched-c2 MediumFakeDriver cell2
  start sched-f1 & start sched-f2 &
  proxy_on
  if ! made; then
    hxs ctl "set -e; umask 027; mysql -e \"CREATE DATABASE IF NOT EXISTS nova_cell2; GRANT ALL ON nova_cell2.* TO 'nova'@'%'; GRANT ALL ON nova_cell2.* TO 'nova'@'localhost'\"
      rabbitmqctl -q add_vhost cell2 2>/dev/null || true; rabbitmqctl -q set_permissions -p cell2 openstack '.*' '.*' '.*'
      printf '%s\n' '[DEFAULT]' 'transport_url = rabbit://openstack:$PASS@ctl:5672/cell2' '[database]' 'connection = mysql+pymysql://nova:$PASS@ctl/nova_cell2' > /etc/nova/sched/cell2.conf
      chgrp nova /etc/nova/sched/cell2.conf
      su -s /bin/sh nova -c 'nova-manage --config-file /etc/nova/nova.conf --config-file /etc/nova/sched/cell2.conf db sync' >/dev/null 2>&1"
    [ -n "$(cell2)" ] || manage cell_v2 create_cell --name cell2 --transport-url rabbit://openstack:$PASS@ctl:5672/cell2 --database_connection mysql+pymysql://nova:$PASS@ctl:3307/nova_cell2
    reread
  fi
  conductor2; start sched-c2; wait
  wait_for 90 "their services" up_hosts && wait_for 60 "their providers" known && discover
}
discover() { [ "$(hx ctl mysql -N nova_api -e "SELECT COUNT(*) FROM host_mappings WHERE host LIKE 'sched-%'")" = 3 ] || manage cell_v2 discover_hosts >/dev/null; }
# as `nova-manage cell_v2 update_cell --disable` does, which without all its arguments takes the database of the configuration for the cell's
disabled() { hx ctl mysql nova_api -e "UPDATE cell_mappings SET disabled = $1 WHERE name = 'cell2'"; hx ctl systemctl restart nova-scheduler; }
undiscover() { hx ctl mysql nova_api -e "DELETE FROM host_mappings WHERE host = '$1'"; }
rediscover() { hxs ctl "mysql -e \"UPDATE nova.compute_nodes SET mapped = 0 WHERE host = '$1'; UPDATE nova_cell2.compute_nodes SET mapped = 0 WHERE host = '$1'\"" 2>/dev/null; discover; }
# the rest of a run: services, providers, mappings, the cell, and what is left of instances on them
down() { local h i c=
  hxs ctl 'systemctl stop sched-f1 sched-f2 sched-c2 2>/dev/null'
  proxy_on; c=$(cell2)
  # Nova's API deletes none of a host that is in a cell that may be gone already
  hx ctl mysql nova -e "UPDATE services SET deleted = id, deleted_at = NOW() WHERE host LIKE 'sched-%' AND deleted = 0; UPDATE compute_nodes SET deleted = id, deleted_at = NOW() WHERE host LIKE 'sched-%' AND deleted = 0"
  for i in $(api8778 /resource_providers | jq -r '.resource_providers[] | select(.name|startswith("sched-")) | .uuid'); do
    for h in $(api8778 /resource_providers/$i/allocations | jq -r '.allocations | keys[]'); do api8778 /allocations/$h DELETE; done; api8778 /resource_providers/$i DELETE; done
  # a cell with instances that live is not deleted
  hx ctl mysql nova_api -e "DELETE m FROM instance_mappings m JOIN cell_mappings c ON c.id = m.cell_id WHERE c.name = 'cell2'"
  for h in $hosts; do undiscover $h; done
  [ -z "$c" ] || { manage cell_v2 delete_cell --force --cell_uuid $c; hx ctl mysql -e 'DROP DATABASE IF EXISTS nova_cell2'; }
  hxs ctl 'systemctl stop sched-conductor2 2>/dev/null; systemctl stop sched-db2.socket sched-db2.service 2>/dev/null; systemctl reset-failed "sched-*" 2>/dev/null; rabbitmqctl -q delete_vhost cell2 2>/dev/null
    rm -rf /etc/nova/sched /var/lib/nova/sched-* /var/log/nova/nova-compute-sched-* /var/log/nova/nova-conductor-cell2.log'
  [ -z "$c" ] || reread
}
case ${1:-} in
up|down|discover) $1 ;;
start) start $2 ;;
stop) hx ctl systemctl stop $2 ;;
cell-stop) proxy_off ;;
cell-start) proxy_on ;;
cell-drop) drop ;;
cell-disable) disabled 1 ;;
cell-enable) disabled 0 ;;
undiscover|rediscover) $1 $2 ;;
*) sed -n '2,5p' "$0"; exit 2 ;;
esac
