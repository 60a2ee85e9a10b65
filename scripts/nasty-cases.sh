#!/usr/bin/env bash
# nasty-cases.sh [PRESET]: builds everything and writes the list of tests in docs/nasty-cases.md anew from the names that ctest knows.
set -euo pipefail
cd "$(dirname "$0")/.."

preset=${1:-dev}
scripts/build.sh "$preset"
exec python3 -B tests/docs/nasty_cases_main.py --ctest ctest --build "build/$preset" --write docs/nasty-cases.md
