#!/usr/bin/env bash
# Measures output: bytes per second from one task to its log, beside cat, s6-log and multilog in the same run; then what
# many chatty tasks, one that prints without end and a full disk cost everybody else. Takes some three minutes; run it alone.
#
# bench-output.sh [DIRECTORY]: where the first measurement writes. The default is memory, since a disk that is written to faster
# than it can store says more about its cache than about who writes.
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/setup.sh build bench
scripts/build.sh bench
build=build/bench
place=$(mktemp -d "${1:-/dev/shm}/vigil-bench-XXXXXX")
trap 'rm -rf "$place"' EXIT

"$build/bench/output/output_bench" --mib 256 --rounds 5 "$place"
echo
echo "== 1,000 tasks with 100 lines a second each"
python3 -B bench/output/chatty.py --build "$build"
echo "== the same beside one that prints as fast as it can"
python3 -B bench/output/chatty.py --build "$build" --yes
echo "== the same on a full disk"
python3 -B bench/output/chatty.py --build "$build" --full-disk
