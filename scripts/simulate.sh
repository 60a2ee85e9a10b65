#!/usr/bin/env bash
# simulate.sh [OPTION...]: builds the simulation and runs it on all cores with seeds that were not run before, until it is
# told to stop; see vigil_simulate --help. VIGIL_SEED=n tells one life.
set -euo pipefail
cd "$(dirname "$0")/.."

scripts/build.sh dev vigil_simulate
exec build/dev/tests/simulation/vigil_simulate --any-seeds --report 5 --jobs "${JOBS:-$(nproc)}" "$@"
