#!/bin/bash
# schedule.sh [--case NAME]... [--question I]... [--questions N] [--seed TEXT] [--resume] [--keep] [--record DIR] | --heal | --list | --help
# Requests that Nova cannot place: does `ostk-doctor schedule` say of each host what Nova's scheduler said (its log at DEBUG), and does the
# request boot when it is relaxed as the doctor says (SCHEDULE.md)? LAB_LOCK=FILE: held while something is broken.
. "$(dirname "$0")/lib.sh"
"$LAB_DIR/../../node_modules/.bin/esbuild" "$LAB_DIR/schedule/main.ts" --bundle --platform=node --target=node20 --format=esm --log-level=warning --banner:js='import { createRequire } from "node:module"; const require = createRequire(import.meta.url);' --outfile="$LAB_RUN/schedule.mjs" || exit 2
# in the operator's network, where the APIs are
exec nsenter --net="/run/netns/$LAB_NAME-op" env LAB_DIR="$LAB_DIR" LAB_RUN="$LAB_RUN" LAB_LOG="$LAB_LOG" LAB_NAME="$LAB_NAME" LAB_STATE="$LAB_STATE" LAB_CTL="${MGMT_IP[ctl]}" LAB_PASS="$PASS" node "$LAB_RUN/schedule.mjs" "$@"
