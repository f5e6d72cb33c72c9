#!/bin/bash
# record.sh [DIR [PATTERN]]   Records the runs that are shipped and tested with, on the running lab: most of demo/ on variant lb, most of
# test/fixtures/bundles/ on variant ovs. DIR (default: the checkout) gets them under the same paths. Each fault is injected, seen to hurt,
# recorded, healed; a recording takes its place only when the doctor named what the fault's expect.yaml expects, when its replay says
# what the live run said, and when it names nothing of this machine. The healthy run must be without a remark, so no fault may have been
# in the lab for an hour (its logs tell): take a fresh one. With a PATTERN only files whose path matches it are recorded. LAB_DOCTOR replaces the doctor's command line.
. "$(dirname "$0")/faults/lib.sh"
ROOT=$(cd "$LAB_DIR/../.." && pwd); TO=${1:-$ROOT}; ONLY=${2:-.}; DOCTOR=${LAB_DOCTOR:-node $ROOT/bin/ostk-doctor.js}
TMP=$LAB_LOG/record; rm -rf "$TMP"; mkdir -p "$TMP"; fault=
end() { local rc=$?; trap - EXIT INT TERM; [ -z "$fault" ] || "$F_ROOT/$fault/fault.sh" heal >/dev/null 2>&1; exit $rc; }
trap end EXIT; trap 'exit 130' INT TERM

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
test/fixtures/bundles/trace-ordered.tgz sg-no-ingress trace router web-1";;
ovs) SET="test/fixtures/bundles/ovs-healthy.tgz -
test/fixtures/bundles/ovs-tunnel-lost.tgz vxlan-lost-in-fabric
test/fixtures/bundles/ovs-underlay-mtu.tgz underlay-mtu
test/fixtures/bundles/ovs-trace-injected.tgz - trace web-1 db-1 --inject
test/fixtures/bundles/ovs-trace-dropped.tgz flow-drop-br-int trace router web-1
test/fixtures/bundles/ovs-trace-dhcp.tgz - trace web-1 dhcp --probe dhcp --inject
test/fixtures/bundles/ovs-trace-metadata.tgz - trace web-1 metadata --probe metadata --inject
test/fixtures/bundles/ovs-trace-dhcp-dropped.tgz dhcp-requests-dropped trace web-1 dhcp --probe dhcp
test/fixtures/bundles/ovs-trace-metadata-refused.tgz metadata-proxy-killed trace web-1 metadata --probe metadata --inject
demo/schedule-no-ram.tgz no-ram schedule huge-1
test/fixtures/bundles/schedule-question.tgz no-ram schedule --flavor m1.huge --image tiny --network private --count 2";;
ovsfw) SET="test/fixtures/bundles/ovsfw-trace-healthy.tgz - trace router web-1";;
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
  else case " $(expect $2 first) " in *" $got "*) ;; *) say "$file: the first cause is $got, expected: $(expect $2 first)"; return 1;; esac; fi
  $DOCTOR replay "$n.tgz" --output json > "$n.replayed.json" 2>> "$n.stderr"
  diff <(gist "$n.live.json") <(gist "$n.replayed.json") > "$n.diff" || { say "$file: its replay says something else:"; head -40 "$n.diff" >&2; return 1; }
  unpack "$n.tgz" "$n"
  if grep -rlF -e "$ROOT" -e "$LAB_STATE" "$n" >&2; then say "$file: names this machine"; return 1; fi
  mkdir -p "$TO/${file%/*}" && install -m 600 "$n.tgz" "$TO/$file" && say "$file: $got, $(stat -c %s "$TO/$file") bytes"; }

ids; heal_leftovers; bad=0
wait_well 150 >/dev/null || die "the lab is $(well)"
for h in $HOSTS; do hxs $h 'journalctl -q --rotate; journalctl -q --vacuum-time=1s; for f in /var/log/neutron/*.log /var/log/nova/*.log; do [ ! -e "$f" ] || : > "$f"; done'; done
adm openstack server reboot --hard --wait web-1 >/dev/null; wait_well 150 >/dev/null || die "after the reboot of web-1 the lab is $(well)"
while read -r file name how; do
  [[ $file =~ $ONLY ]] || continue
  if [ "$name" != - ]; then
    fault=$name; "$F_ROOT/$name/fault.sh" inject >/dev/null 2>&1
    wait_state 0 60 timeout 25 "$F_ROOT/$name/fault.sh" symptom >/dev/null || { say "$file: $name does not hurt"; bad=1; name=; }
  fi
  [ -z "$name" ] || record "$file" "$name" ${how:-net web-1} || bad=1
  if [ -n "$fault" ]; then "$F_ROOT/$fault/fault.sh" heal >/dev/null 2>&1; fault=; wait_well 150 >/dev/null || die "after $file the lab is $(well)"; fi
done <<<"$SET"
exit $bad
