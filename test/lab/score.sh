#!/bin/bash
# score.sh [--variant V] [--fault NAME]... [--sample N [--seed TEXT]] [--healthy N] [--json FILE] | --list
# Lets the doctor loose on the running lab (starts one when none runs): first on the healthy cloud, then on each fault, and compares
# what it says with the fault's expect.yaml. Status 1 when a healthy run is not clean or a first cause is wrong.
. "$(dirname "$0")/lib.sh"
exec env LAB_DIR="$LAB_DIR" LAB_RUN="$LAB_RUN" LAB_LOG="$LAB_LOG" LAB_NAME="$LAB_NAME" LAB_STATE="$LAB_STATE" node "$LAB_DIR/score.mjs" "$@"
