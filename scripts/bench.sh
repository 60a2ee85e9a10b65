#!/usr/bin/env bash
# Measures vigil beside the bare limit of the machine and beside other supervisors; run it alone. Arguments: see
# bench/driver/bench.py --help. `--realtime` makes the figures of a machine with other work to do usable.
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/setup.sh build bench
scripts/build.sh bench
exec python3 -B bench/driver/bench.py --build build/bench "$@"
