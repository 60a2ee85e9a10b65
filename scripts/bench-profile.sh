#!/usr/bin/env bash
# bench-profile.sh [OPTION...]: builds what it takes, and shows by perf where the time of a start, a crash and a heartbeat goes;
# see bench/driver/profile.py --help. Run it alone, as root.
set -euo pipefail
cd "$(dirname "$0")/.."

scripts/setup.sh build profile
scripts/build.sh bench
exec /usr/bin/python3 -B bench/driver/profile.py --build build/bench "$@"
