#!/bin/bash
# by-hand.sh INSTANCE   What an operator types to gather what `ostk-doctor net` gathers: 13 calls of the openstack client and
# 4 of ssh, none of them twice, everything that belongs on one host in one call, as an experienced hand would. It judges nothing.
# The cloud is named by OS_*, scoped to the instance's project; nodes are reached as SSH_USER (default root). For an instance with
# one port and a floating IP, on a network with one DHCP agent and one router.
set -euo pipefail
vm=${1:?usage: by-hand.sh INSTANCE}
node() { ssh -o BatchMode=yes "${SSH_USER:-root}@$1" sh -s; }
json() { python3 -c 'import json,sys; d=json.load(sys.stdin); print(eval(sys.argv[1]))' "$1"; }

# --- the 13 calls of the client
server=$(openstack server show "$vm" -f json)
id=$(json 'd["id"]' <<<"$server")
host=$(json 'd["OS-EXT-SRV-ATTR:host"]' <<<"$server")
domain=$(json 'd["OS-EXT-SRV-ATTR:instance_name"]' <<<"$server")
port=$(openstack port list --server "$id" -f value -c ID | head -n 1)
details=$(openstack port show "$port" -f json)
net=$(json 'd["network_id"]' <<<"$details")
address=$(json 'd["fixed_ips"][0]["ip_address"]' <<<"$details")
subnet=$(json 'd["fixed_ips"][0]["subnet_id"]' <<<"$details")
group=$(json 'd["security_group_ids"][0]' <<<"$details")
openstack network show "$net"
openstack subnet show "$subnet"
openstack security group rule list "$group"
openstack network agent list
openstack compute service list
openstack console log show "$id"
openstack server event list "$id"
dhcp=$(openstack network agent list --network "$net" --agent-type dhcp -f value -c Host | head -n 1)
read -r float router < <(openstack floating ip list --port "$port" --long -f value -c 'Floating IP Address' -c Router)
openstack router show "$router"

# --- the 4 calls of ssh: the compute host, the network host, the pings, the controller's logs
node "$host" <<X
virsh -c qemu:///system domstate $domain; virsh -c qemu:///system dumpxml $domain
ip -d -s link show; ip addr show; bridge fdb show; ovs-vsctl show; iptables-save -c; ipset save; ebtables-save -c; tc -s qdisc show; sysctl -a --pattern 'bridge-nf|rp_filter|ip_forward'
systemctl --no-pager status nova-compute neutron-linuxbridge-agent neutron-openvswitch-agent libvirtd; date
grep -hE ' (ERROR|CRITICAL|TRACE) ' /var/log/nova/*.log /var/log/neutron/*.log | grep -e $id -e $port | tail -n 100
X
node "$dhcp" <<X
ip netns list; ip -d -s link show; ip addr show; bridge fdb show; ovs-vsctl show; iptables-save -c; ps -ef; date
systemctl --no-pager status neutron-dhcp-agent neutron-l3-agent neutron-metadata-agent
cat /var/lib/neutron/dhcp/$net/host /var/lib/neutron/dhcp/$net/opts
ip netns exec qdhcp-$net ip addr show
for q in 'ip addr show' 'ip route show table all' 'iptables-save -c' 'ss -lntup' 'sysctl net.ipv4.ip_forward'; do ip netns exec qrouter-$router \$q; done
grep -hE ' (ERROR|CRITICAL|TRACE) ' /var/log/neutron/*.log | grep -e $id -e $port -e $net | tail -n 100
X
node "$dhcp" <<X
ip netns exec qdhcp-$net ping -n -c 5 -i 0.2 -W 1 $address
ip netns exec qrouter-$router ping -n -c 5 -i 0.2 -W 1 $address
ip netns exec qdhcp-$net ping -n -c 5 -i 0.2 -W 1 -M do -s 1372 $address
X
ping -n -c 5 -i 0.2 -W 1 "$float"
node "$(sed -E 's|^[a-z]+://([^:/]+).*|\1|' <<<"$OS_AUTH_URL")" <<X
grep -hE ' (ERROR|CRITICAL|TRACE) ' /var/log/nova/*.log /var/log/neutron/*.log | grep -e $id -e $port | tail -n 100
X
