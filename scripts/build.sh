#!/usr/bin/env bash
# build.sh PRESET [TARGET...]: configures build/PRESET where that was not done yet, and builds it, or these targets.
# Set-up first, so that a fresh clone on a fresh machine needs no other command.
set -euo pipefail
cd "$(dirname "$0")/.."

preset=${1:?usage: build.sh PRESET [TARGET...]}
shift
groups=(build)
case "$preset" in
    clang | tidy | fuzz) groups+=(clang) ;;
    coverage) groups+=(coverage) ;;
esac
scripts/setup.sh "${groups[@]}"

# CMake repeats the configuration by itself when one of its files changes, so a second run goes straight to
# ninja. A configuration that failed halfway leaves a cache and no build.ninja: it is tried again.
if [[ ! -f build/$preset/build.ninja ]]; then
    cmake --preset "$preset" --log-level=NOTICE
fi
exec cmake --build "build/$preset" -j "${JOBS:-$(nproc)}" ${1:+--target "$@"}
