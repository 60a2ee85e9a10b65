#!/usr/bin/env bash
# coverage.sh: runs the tests of an instrumented build and reports which lines of lib/ and daemon/ they reached.
set -euo pipefail
cd "$(dirname "$0")/.."

scripts/setup.sh build test coverage
# Counters of an earlier run would be added to those of this one.
if [[ -d build/coverage ]]; then find build/coverage -name '*.gcda' -delete; fi
code=0
scripts/test.sh coverage || code=$?
gcovr --root . --filter lib/ --filter daemon/ --object-directory build/coverage --print-summary \
      --html-details build/coverage/coverage.html build/coverage
exit "$code"
