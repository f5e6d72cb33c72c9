#!/bin/bash
. "$(dirname "$0")/../lib.sh"
T=$LAB_NAME-thief
inject()  { ip netns add $T; ip -n $LAB_NAME-fabric link add ext-thief type veth peer name eth0 netns $T; ip -n $LAB_NAME-fabric link set ext-thief master br-extern up; ip -n $T addr add $FIP/24 dev eth0; ip netns exec $T sysctl -qw net.ipv4.icmp_echo_ignore_all=1; ip -n $T link set eth0 up
  ip netns exec $T arping -q -U -c 3 -I eth0 $FIP; ip -n $LAB_NAME-ext neigh flush to $FIP; ip -n $LAB_NAME-ext neigh replace $FIP lladdr $(ip netns exec $T cat /sys/class/net/eth0/address) dev $(ip -n $LAB_NAME-ext -o route get $FIP | grep -oP 'dev \K\S+') nud reachable; }
heal()    { ip netns del $T; ip -n $LAB_NAME-ext neigh flush to $FIP; qr arping -q -U -c 2 -I $(qg) $FIP; true; }
symptom() { ! pf; }
main "$@"
