#!/usr/bin/env bash
# Kills the daemon ten times, and its keeper once, under 1,000 tasks that print and beat, and checks that nothing of it
# reached them; then measures how long the next daemon takes to take over 1,000 and 10,000 tasks that only sleep. Takes some
# three minutes; run it alone. Arguments go to the first part.
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/build.sh bench
build=build/bench
programs=(--vigild "$build/daemon/vigild" --vigilctl "$build/daemon/ctl/vigilctl" --build "$build")

python3 -B tests/e2e/kills.py "${programs[@]}" "$@"
python3 -B tests/e2e/kills.py "${programs[@]}" --sleepers 1000
python3 -B tests/e2e/kills.py "${programs[@]}" --sleepers 10000
