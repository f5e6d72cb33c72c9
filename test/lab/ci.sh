#!/bin/bash
# ci.sh [VARIANT]   What continuous integration runs: installs the lab where it is missing, starts it from whatever was left, scores
# the doctor on the healthy cloud (a trace among it) and on a sample of faults, and stops the lab whatever happened. The last line says how it went.
#   LAB_CI_FAULTS  how many faults (default 8); which ones follows from the day and the commit
#   LAB_CI_SEED    another seed for that choice, to repeat a run
#   LAB_CI_JSON    where the result goes
. "$(dirname "$0")/lib.sh"
V=${1:-lb}; N=${LAB_CI_FAULTS:-8}; T0=$SECONDS
SEED=${LAB_CI_SEED:-$(date -u +%F)-$(git -C "$LAB_DIR" rev-parse --short HEAD 2>/dev/null || echo none)}
JSON=${LAB_CI_JSON:-$LAB_LOG/score-$V.json}
verdict="cut off"
end() { local rc=$?; trap - EXIT INT TERM; "$LAB_DIR/down.sh" || rc=1
  [ $rc = 0 ] && r=PASS || r=FAIL
  echo "LAB $r: $verdict ($V, seed $SEED, $((SECONDS-T0)) s)"; exit $rc; }
trap end EXIT; trap 'exit 130' INT TERM
set -e
verdict="install.sh failed"; "$LAB_DIR/install.sh"
verdict="leftovers could not be removed"; "$LAB_DIR/down.sh"
verdict="the lab did not come up"
if [ -e $LAB_STATE/$V/.provisioned ]; then "$LAB_DIR/up.sh" $V || "$LAB_DIR/up.sh" $V --fresh; else "$LAB_DIR/up.sh" $V --fresh; fi
verdict="a healthy trace was not clean"
hx op bash -c ". /root/openrc; cd /root; timeout 120 ${LAB_DOCTOR:-node $(cd "$LAB_DIR/../.." && pwd)/bin/ostk-doctor.js} trace outside web-1" </dev/null
verdict="the doctor was not scored"
rc=0; "$LAB_DIR/score.sh" --variant $V --healthy 4 --sample $N --seed "$SEED" --json "$JSON" || rc=$?
[ ! -s "$JSON" ] || verdict=$(jq -r '"healthy \(.totals.clean)/\(.totals.healthy) clean, faults \(.totals.right)/\(.totals.faults) right, \(.totals.localised) localised" + ([.faults[] | select((.verdict == "right" or .verdict == "localised") and .notHealed == null | not) | .fault] | if length > 0 then ", not right: " + join(" ") else "" end)' "$JSON")
exit $rc
