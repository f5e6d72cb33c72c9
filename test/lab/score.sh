#!/bin/bash
# score.sh [--variant V] [--fault NAME]... [--sample N [--seed TEXT]] [--healthy N] [--[no-]remedy] [--merge] [--json FILE] | --resume FILE | --render FILE... | --list | --help
# Lets the doctor loose on the running lab (starts one when none runs): first on the healthy cloud, then on each fault, and compares
# what it says with the fault's expect.yaml. Status 1 when a healthy run is not clean, a first cause is wrong or a fault failed by itself.
. "$(dirname "$0")/lib.sh"
"$LAB_DIR/../../node_modules/.bin/esbuild" "$LAB_DIR/score/main.ts" --bundle --platform=node --target=node20 --format=cjs --log-level=warning --outfile="$LAB_RUN/score.cjs" || exit 2
exec env LAB_DIR="$LAB_DIR" LAB_RUN="$LAB_RUN" LAB_LOG="$LAB_LOG" LAB_NAME="$LAB_NAME" LAB_STATE="$LAB_STATE" node "$LAB_RUN/score.cjs" "$@"
