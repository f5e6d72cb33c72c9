#!/bin/bash
# record.sh [DIR [PATTERN]]   Records the runs that are shipped and tested with, on the running lab: of demo/ and test/fixtures/bundles/ those of its
# variant. DIR (default: the checkout) gets them under the same paths. Each fault is injected, seen to hurt,
# recorded, healed; a recording takes its place only when the doctor named what the fault's expect.yaml expects, when its replay says
# what the live run said, and when it names nothing of this machine. The healthy run must be without a remark, so no fault may have been
# in the lab for an hour (its logs tell): take a fresh one. With a PATTERN only files whose path matches it are recorded. LAB_DOCTOR replaces the doctor's command line.
. "$(dirname "$0")/faults/lib.sh"
ROOT=$(cd "$LAB_DIR/../.." && pwd); TO=${1:-$ROOT}; ONLY=${2:-.}; DOCTOR=${LAB_DOCTOR:-node $ROOT/bin/ostk-doctor.js}
TMP=$LAB_LOG/record; rm -rf "$TMP"; mkdir -p "$TMP"; fault=
end() { local rc=$?; trap - EXIT INT TERM; [ -z "$fault" ] || verb $fault heal >/dev/null 2>&1; exit $rc; }
trap end EXIT; trap 'exit 130' INT TERM
ids; heal_leftovers; bad=0

# What only recordings need, beside the faults: NAME inject|heal|symptom|first. In the DHCP server's namespace, where its own packets leave: the sender counts
# as dropped what it then sends again, ping and connections each in their way.
own_pings_lost() { case $1 in
  inject)  qd ip link add hush0 type veth peer name hush1; qd ip link set hush0 up; qd tc qdisc add dev $(dhcp_dev) clsact
           qd tc filter add dev $(dhcp_dev) egress pref 7919 protocol ip u32 match ip protocol 1 0xff match ip dst $WEB/32 action mirred egress redirect dev hush0;;
  heal)    qd tc qdisc del dev $(dhcp_dev) clsact; qd ip link del hush0;;
  symptom) ! pw;;
  first)   echo OSD-HOST-014;; esac; }
own_connections_lost() { case $1 in
  inject)  qd nft "add table netdev localise; add chain netdev localise hush { type filter hook egress device $(dhcp_dev) priority 0; };
             add rule netdev localise hush ip daddr $DB tcp dport 22 counter drop";;
  heal)    qd nft delete table netdev localise;;
  symptom) ! qd timeout 3 bash -c "exec 3<>/dev/tcp/$DB/22" 2>/dev/null;;
  first)   echo OSD-HOST-014;; esac; }
# As a DHCP agent leaves it that hangs while it sets the network up: alive by its own reports, no dnsmasq, no address; and a guest that has booted meanwhile
booted_unserved() { case $1 in
  inject)  verb dnsmasq-killed inject; qd ip -4 addr flush dev $(dhcp_dev)
           adm openstack server reboot --hard --wait web-1; wait_for 200 "web-1 has booted" g web-1 true;;
  heal)    verb dnsmasq-killed heal; adm openstack server reboot --hard --wait web-1;;
  symptom) g web-1 "! ip -4 addr show eth0 | grep -q inet" && ! pw;;
  first)   echo OSD-DHCP-003;; esac; }
verb()     { if declare -F $1 >/dev/null; then $1 $2; elif [ $2 = symptom ]; then timeout 25 "$F_ROOT/$1/fault.sh" $2; else "$F_ROOT/$1/fault.sh" $2; fi; }
first_of() { if declare -F $1 >/dev/null; then $1 first; else expect $1 first; fi; }

# what is recorded, where, of which fault, by which command (net web-1 when none is given); the healthy run first, while no fault has left a line in any log
case $V in
lb) SET="demo/healthy.tgz -
demo/hand-made-rule.tgz hand-drop-rule
demo/vxlan-blocked.tgz vxlan-blocked
demo/security-group.tgz sg-no-ingress
demo/wrong-secret.tgz metadata-wrong-secret
demo/dnsmasq-dead.tgz dnsmasq-killed
demo/trace-healthy.tgz - trace outside web-1
demo/trace-stopped.tgz hand-drop-rule trace router web-1
test/fixtures/bundles/trace-not-told.tgz guest-wrong-ip trace dhcp web-1
test/fixtures/bundles/trace-tcp.tgz - trace web-1 db-1 --probe tcp/22
test/fixtures/bundles/trace-ordered.tgz sg-no-ingress trace router web-1
demo/schedule-no-ram.tgz no-ram schedule huge-1
test/fixtures/bundles/schedule-question.tgz no-ram schedule --flavor m1.huge --image tiny --network private --count 2
test/fixtures/bundles/dual-stack.tgz - net $APP_ID
test/fixtures/bundles/flat-external.tgz - net $EDGE_ID
test/fixtures/bundles/no-dhcp.tgz - net $STATIC_ID";;
ovs) SET="test/fixtures/bundles/ovs-healthy.tgz -
test/fixtures/bundles/ovs-peer.tgz - net web-1 --to db-1
test/fixtures/bundles/two-ports.tgz - net $MULTI_ID
test/fixtures/bundles/ovs-tunnel-lost.tgz vxlan-lost-in-fabric
test/fixtures/bundles/ovs-underlay-mtu.tgz underlay-mtu
test/fixtures/bundles/ovs-trace-injected.tgz - trace web-1 db-1 --inject
test/fixtures/bundles/ovs-trace-dropped.tgz flow-drop-br-int trace router web-1
test/fixtures/bundles/ovs-trace-egress.tgz own_pings_lost trace dhcp web-1
test/fixtures/bundles/ovs-trace-egress-tcp.tgz own_connections_lost trace dhcp db-1 --probe tcp/22
test/fixtures/bundles/ovs-trace-dhcp.tgz - trace web-1 dhcp --probe dhcp --inject
test/fixtures/bundles/ovs-trace-metadata.tgz - trace web-1 metadata --probe metadata --inject
test/fixtures/bundles/ovs-trace-dhcp-dropped.tgz dhcp-requests-dropped trace web-1 dhcp --probe dhcp
test/fixtures/bundles/ovs-trace-metadata-refused.tgz metadata-proxy-killed trace web-1 metadata --probe metadata --inject";;
ovn) SET="demo/ovn-healthy.tgz -
demo/ovn-hand-made-flow.tgz ovn-flow-drop-to-tap
demo/ovn-acl-missing.tgz ovn-acl-removed
demo/ovn-geneve-lost.tgz ovn-geneve-lost-in-fabric
demo/ovn-northd-stopped.tgz ovn-northd-stopped
test/fixtures/bundles/ovn-acl-added.tgz ovn-acl-added
test/fixtures/bundles/ovn-chassis-name.tgz ovn-hostname-wrong
test/fixtures/bundles/ovn-dhcp-options.tgz ovn-dhcp-options-removed
test/fixtures/bundles/ovn-flow-deleted.tgz ovn-flow-deleted
test/fixtures/bundles/ovn-gateway.tgz ovn-gateway-without-mapping
test/fixtures/bundles/ovn-metadata-secret.tgz ovn-metadata-wrong-secret
test/fixtures/bundles/ovn-nat.tgz ovn-nat-missing
test/fixtures/bundles/ovn-static-mac-binding.tgz ovn-static-mac-binding-wrong
test/fixtures/bundles/ovn-trace-healthy.tgz - trace outside web-1
test/fixtures/bundles/ovn-trace-injected.tgz - trace web-1 db-1 --inject
test/fixtures/bundles/ovn-trace-dhcp.tgz - trace web-1 dhcp --probe dhcp --inject
test/fixtures/bundles/ovn-trace-metadata.tgz - trace web-1 metadata --probe metadata --inject
test/fixtures/bundles/ovn-trace-stopped.tgz ovn-flow-drop-to-tap trace outside web-1";;
ovsfw) SET="test/fixtures/bundles/ovsfw-trace-healthy.tgz - trace router web-1
test/fixtures/bundles/ovsfw-trace-metadata-silent.tgz booted_unserved trace web-1 metadata --probe metadata --inject";;
*) die "nothing is recorded on variant $V";; esac

op()  { hx op bash -c ". /root/openrc; $1" </dev/null; }
# what a run said, without its evidence: of two observations of the same thing a replay may show the other one
gist() { jq -S 'def f: {code, subject, summary, severity, confidence};
  {exitCode, counts, ruledOut: .diagnosis.ruledOut, causes: [.diagnosis.causes[] | {finding: (.finding | f), explains: [.explains[] | f]}], remarks: [.diagnosis.remarks[] | f],
   steps: [.steps[] | {id, checks: [.checks[] | {id, subject, status: .outcome.status}]}]}' "$1"; }
unpack() { mkdir "$2" && tar xzf "$1" -C "$2"; }

# record FILE FAULT COMMAND...
record() { local file=$1 got n=$TMP/$(basename "$1" .tgz)
  op "rm -f /root/recorded.tgz; timeout 120 $DOCTOR ${*:3} --record /root/recorded.tgz --output json" > "$n.live.json" 2> "$n.stderr"
  hx op cat /root/recorded.tgz > "$n.tgz" || { say "$file: no recording: $(head -1 "$n.stderr")"; return 1; }
  hx op rm -f /root/recorded.tgz
  got=$(jq -r '.diagnosis.causes[0].finding.code // "none"' "$n.live.json")
  if [ "$2" = - ]; then
    jq -e '.exitCode==0 and (.diagnosis.causes + .diagnosis.remarks | length)==0 and .counts.blocked==0 and .counts.unknown==0' "$n.live.json" >/dev/null ||
      { say "$file: the healthy cloud is not clean: $(jq -c '[.counts, (.diagnosis.causes[].finding.code), (.diagnosis.remarks[].code)]' "$n.live.json")"; return 1; }
  else case " $(first_of $2) " in *" $got "*) ;; *) say "$file: the first cause is $got, expected: $(first_of $2)"; return 1;; esac; fi
  $DOCTOR replay "$n.tgz" --output json > "$n.replayed.json" 2>> "$n.stderr"
  diff <(gist "$n.live.json") <(gist "$n.replayed.json") > "$n.diff" || { say "$file: its replay says something else:"; head -40 "$n.diff" >&2; return 1; }
  unpack "$n.tgz" "$n"
  if grep -rlF -e "$ROOT" -e "$LAB_STATE" "$n" >&2; then say "$file: names this machine"; return 1; fi
  mkdir -p "$TO/${file%/*}" && install -m 600 "$n.tgz" "$TO/$file" && say "$file: $got, $(stat -c %s "$TO/$file") bytes"; }

wait_well 150 >/dev/null || die "the lab is $(well)"
for h in $HOSTS; do hxs $h 'journalctl -q --rotate; journalctl -q --vacuum-time=1s; for f in /var/log/{neutron,nova,ovn,openvswitch}/*.log; do [ ! -e "$f" ] || : > "$f"; done'; done
adm openstack server reboot --hard --wait web-1 >/dev/null; wait_well 150 >/dev/null || die "after the reboot of web-1 the lab is $(well)"
while read -r file name how; do
  [[ $file =~ $ONLY ]] || continue
  if [ "$name" != - ]; then
    fault=$name; verb $name inject >/dev/null 2>&1
    wait_state 0 60 verb $name symptom >/dev/null || { say "$file: $name does not hurt"; bad=1; name=; }
  fi
  [ -z "$name" ] || record "$file" "$name" ${how:-net web-1} || bad=1
  if [ -n "$fault" ]; then verb $fault heal >/dev/null 2>&1; fault=; wait_well 150 >/dev/null || die "after $file the lab is $(well)"; fi
done <<<"$SET"
exit $bad
