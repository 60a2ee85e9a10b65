#!/usr/bin/env bash
# Measures output: bytes per second from one task to its log, beside cat, s6-log and multilog in the same run; then what
# many chatty tasks, one that prints without end and a full disk cost everybody else. Takes some three minutes; run it alone.
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/setup.sh build bench
scripts/build.sh bench
build=build/bench
place=$(mktemp -d /tmp/vbXXXXXX)
trap 'rm -rf "$place"' EXIT

"$build/bench/output/output_bench" "$@" "$place"
echo
echo "== 1,000 tasks with 100 lines a second each"
python3 -B bench/output/chatty.py --build "$build"
echo "== the same beside one that prints as fast as it can"
python3 -B bench/output/chatty.py --build "$build" --yes
echo "== the same on a full disk"
python3 -B bench/output/chatty.py --build "$build" --full-disk
