#!/usr/bin/env bash
# leaks.sh [CTEST-OPTION...]: end-to-end cases under AddressSanitizer with its LeakSanitizer. Each of them ends vigild cleanly and
# looks at its exit code and its log, so memory that is lost by then fails it. make asan has all tests; this is the part that
# runs the daemon through its life: starts, orders, reloads, crashes, upgrades, the end.
set -euo pipefail
cd "$(dirname "$0")/.."
export ASAN_OPTIONS="${ASAN_OPTIONS:+$ASAN_OPTIONS:}detect_leaks=1"
[[ $# -gt 0 ]] || set -- -R '^e2e/(run|control|ctl|reload|restart|stop|recovery|upgrade|output)/'
exec scripts/test.sh asan "$@"
