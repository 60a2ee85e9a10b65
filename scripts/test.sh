#!/usr/bin/env bash
# test.sh PRESET [CTEST-OPTION...]: builds a preset (or only $VIGIL_TARGETS of it), runs its tests, and ends with the line
# "N passed, N failed, N skipped". The exit code is 0 only if every test passed or was skipped.
set -euo pipefail
cd "$(dirname "$0")/.."

preset=${1:?usage: test.sh PRESET [CTEST-OPTION...]}
# The ThreadSanitizer of gcc 12 cannot place its shadow memory where the kernel randomises addresses by more
# than 28 bits (Debian's default; others use 32): it then runs, and is discovered, without randomisation.
if [[ $preset == tsan && $(cat /proc/sys/vm/mmap_rnd_bits 2>/dev/null || echo 0) -gt 28 && -z ${VIGIL_FIXED_LAYOUT-} ]]; then
    VIGIL_FIXED_LAYOUT=1 exec setarch --addr-no-randomize scripts/test.sh "$@"
fi
shift
scripts/setup.sh build test
read -r -a targets <<<"${VIGIL_TARGETS-}"
scripts/build.sh "$preset" "${targets[@]}"

# Absolute, because ctest reads it relative to the directory that it tests.
report="$PWD/build/$preset/tests.xml"
rm -f "$report"
# The judgement is in the report; ctest's own code is kept for what the report cannot say.
code=0
ctest --test-dir "build/$preset" --output-on-failure --no-tests=error -j "${JOBS:-$(nproc)}" \
      --output-junit "$report" "$@" </dev/null || code=$?
exec /usr/bin/python3 scripts/test_summary.py "$report" "$code"
