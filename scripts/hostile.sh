#!/usr/bin/env bash
# hostile.sh [OPTION...]: builds what it takes, and lets ten thousand connections of bad clients loose on one vigild; see
# tests/e2e/hostile.py --help.
set -euo pipefail
cd "$(dirname "$0")/.."

scripts/setup.sh build test
scripts/build.sh dev vigild vigil-keeper vigilctl vigil_hostile
exec /usr/bin/python3 -B tests/e2e/hostile.py --build build/dev "$@"
