#!/usr/bin/env bash
# Lets many tasks with random lives, operators, reloads, killed daemons and upgrades have their way for MINUTES, and then checks that
# nothing leaked and everything is accounted for; see tests/soak/soak.py. MINUTES=30 TASKS=500 SEED=; arguments go to soak.py:
# --no-cgroup for a daemon without cgroups.
set -euo pipefail
cd "$(dirname "$0")/.."

scripts/build.sh bench vigild vigil-keeper vigilctl life
build=build/bench
exec /usr/bin/python3 -B tests/soak/soak.py --vigild "$build/daemon/vigild" --vigilctl "$build/daemon/ctl/vigilctl" --build "$build" \
     --minutes "${MINUTES:-30}" --tasks "${TASKS:-500}" ${SEED:+--seed "$SEED"} "$@"
