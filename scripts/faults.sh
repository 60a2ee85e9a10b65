#!/usr/bin/env bash
# faults.sh [OPTION...]: builds what it takes, and has every system call of vigild fail with every error that fits it; see
# tests/e2e/faults.py --help.
set -euo pipefail
cd "$(dirname "$0")/.."

scripts/setup.sh build test
scripts/build.sh dev vigild vigil-keeper vigilctl vigil_fail_at
exec /usr/bin/python3 -B tests/e2e/faults.py --build build/dev "$@"
