#!/bin/bash
# reach.sh [ROUNDS [SEED]]  - random security groups on the lab's instances: does `ostk-doctor reach` say what packets do?
# Each round puts random throw-away groups on an instance's port, waits until its host has the rules, asks the doctor, sends the same
# packets from the DHCP or router namespace, and compares. Prints a table and every disagreement; status 1 when there is one.
# The ports get their own groups back, whatever happens; what a killed run left is put back by the next one, or by: reach.sh restore
. "$(dirname "$0")/lib.sh"
V=$(cat "$LAB_RUN/variant" 2>/dev/null); [ -n "$V" ] || die "no lab named $LAB_NAME is running"
[ "$V" != ovn ] || die "variant ovn has no namespaces to send from"
ROOT=$(cd "$LAB_DIR/../.." && pwd); DOCTOR=${LAB_DOCTOR:-node $ROOT/bin/ostk-doctor.js}
main() { hx op bash -c '. /root/openrc; exec python3 "$@"' reach "$LAB_DIR/reach/main.py" "$@"; }
restore() { trap '' INT TERM HUP; main restore; }
if [ "${1:-}" = restore ]; then restore; exit; fi
trap restore EXIT; trap 'exit 130' INT; trap 'exit 143' TERM HUP   # restore ends a run that is still under way, first
main run --variant "$V" --doctor "$DOCTOR" --rounds "${1:-200}" --seed "${2:-$(date +%s)}" &
wait $!
