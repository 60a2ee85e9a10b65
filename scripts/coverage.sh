#!/usr/bin/env bash
# coverage.sh [LAYER...]: runs the tests of an instrumented build and reports which lines and branches of lib/ and daemon/
# they reached; with names of layers (core protocol config ...) only the unit tests of these, and what those reach of them.
#
# The tables by layer and the list of what was not reached come last; build/coverage/coverage.html has it in colour. Branches
# that only an exception takes, and those that the compiler has made without source code, are not counted.
set -euo pipefail
cd "$(dirname "$0")/.."

scripts/setup.sh build test coverage
# Counters of an earlier run would be added to those of this one.
if [[ -d build/coverage ]]; then find build/coverage -name '*.gcda' -delete; fi

filters=()
programs=()
for layer in "$@"; do
    list=tests/unit/$layer/CMakeLists.txt
    [[ -f $list ]] || { echo "coverage.sh: no unit tests of a layer \"$layer\" in tests/unit" >&2; exit 2; }
    mapfile -t -O "${#programs[@]}" programs < <(sed -n 's/^vigil_doctest(\([a-z_]*\).*/\1/p' "$list")
    filters+=(--filter "lib/$layer/")
done

code=0
if [[ $# -gt 0 ]]; then
    VIGIL_TARGETS="${programs[*]}" scripts/test.sh coverage -R "^($(IFS='|'; echo "${programs[*]}"))/" || code=$?
else
    filters=(--filter lib/ --filter daemon/)
    scripts/test.sh coverage || code=$?
fi
gcovr --root . "${filters[@]}" --object-directory build/coverage -j "${JOBS:-$(nproc)}" \
      --exclude-throw-branches --exclude-unreachable-branches \
      --json build/coverage/coverage.json --html-details build/coverage/coverage.html build/coverage
/usr/bin/python3 -B scripts/coverage_summary.py build/coverage/coverage.json
exit "$code"
