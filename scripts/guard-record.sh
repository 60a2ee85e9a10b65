#!/usr/bin/env bash
# Counts what one event of the hot paths costs, and writes it to tests/guard/costs.json; see tests/guard/guard.py.
set -euo pipefail
cd "$(dirname "$0")/.."

scripts/setup.sh build test
scripts/build.sh dev vigild vigil-keeper vigil_kill_at vigil_hot_paths steady
compiler=$(sed -n 's/.*"--compiler=\([^"]*\)".*/\1/p' build/dev/tests/guard/CTestTestfile.cmake | head -n 1)
for what in calls instructions; do
    /usr/bin/python3 -B tests/guard/guard.py "$what" --build build/dev --compiler "$compiler" --record
done
