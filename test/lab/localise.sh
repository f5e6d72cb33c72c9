#!/bin/bash
# localise.sh [--variant V] [--rounds N] [--seed TEXT] [--resume] | --heal | --help
# Puts one drop after the other somewhere on the path of a random trace of the running lab, and looks whether `ostk-doctor trace` names the
# place (LOCALISE.md). Status 1 when less than 95 % of the edges are right. LAB_LOCK=FILE: held while something is broken, given to others between two
# rounds after LAB_TURN seconds (150).
# LAB_COMMIT: of which commit LAB_DOCTOR is, where that is not the checkout's.
. "$(dirname "$0")/lib.sh"
"$LAB_DIR/../../node_modules/.bin/esbuild" "$LAB_DIR/localise/main.ts" --bundle --platform=node --target=node20 --format=esm --log-level=warning --banner:js='import { createRequire } from "node:module"; const require = createRequire(import.meta.url);' --outfile="$LAB_RUN/localise.mjs" || exit 2
exec env LAB_DIR="$LAB_DIR" LAB_RUN="$LAB_RUN" LAB_LOG="$LAB_LOG" LAB_NAME="$LAB_NAME" LAB_STATE="$LAB_STATE" node "$LAB_RUN/localise.mjs" "$@"
