#!/usr/bin/env bash
# kill-points.sh [OPTION...]: builds what it takes, and kills vigild by kill -9 at every system call of what it does; see
# tests/e2e/kill_points.py --help. Takes half an hour and more.
set -euo pipefail
cd "$(dirname "$0")/.."

scripts/setup.sh build test
scripts/build.sh dev vigild vigil-keeper vigilctl vigil_kill_at
exec /usr/bin/python3 -B tests/e2e/kill_points.py --build build/dev "$@"
