#!/usr/bin/env bash
# mutants.sh [NAME...]: plants the faults of tests/simulation/mutants in a copy of the core below build/mutants, one after
# another, and expects the simulation to find each within a minute; see tests/simulation/mutants.py --help.
set -euo pipefail
cd "$(dirname "$0")/.."

scripts/setup.sh build
exec /usr/bin/python3 -B tests/simulation/mutants.py "$@"
