#!/usr/bin/env bash
# bench-scale.sh [OPTION...]: builds what it takes, and runs 10,000 tasks in much trouble for five minutes; see
# bench/scale/scale.py --help. Run it alone.
set -euo pipefail
cd "$(dirname "$0")/.."

scripts/setup.sh build
scripts/build.sh bench vigild vigil-keeper pulse
exec /usr/bin/python3 -B bench/scale/scale.py --build build/bench "$@"
