#!/bin/bash
# run.sh [--runs N] [--by-hand N]   (npm run bench) Measures the doctor on the operator's host of the running lab, which must be healthy and
# quiet, and prints Markdown tables. `npm run lab:up` starts a lab.
set -euo pipefail
BENCH=$(cd "$(dirname "$0")" && pwd); ROOT=$(cd "$BENCH/../.." && pwd)
. "$ROOT/test/lab/lib.sh"
leader op >/dev/null || die "no lab named $LAB_NAME is running (npm run lab:up)"
(cd "$ROOT" && node scripts/build.mjs)
echo "Lab: variant $(cat $LAB_RUN/variant)."
exec "$ROOT/test/lab/enter.sh" op bash -c '. /root/openrc; exec node "$@"' _ "$BENCH/measure.mjs" "$@"
