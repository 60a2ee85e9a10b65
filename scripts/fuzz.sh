#!/usr/bin/env bash
# fuzz.sh [TARGET...]: builds the fuzz targets (clang, AddressSanitizer, UndefinedBehaviorSanitizer) and runs them, or those
# that are named, for $SECONDS_EACH seconds each (60), two at a time; then tells what each did. Exits 1 on a finding, whose
# input stands in build/fuzz/findings/TARGET.
#
# Inputs that reach something new are kept in build/fuzz/corpus/TARGET, where the next run begins beside the committed ones.
set -euo pipefail
cd "$(dirname "$0")/.."

seconds=${SECONDS_EACH:-60}
at_once=${JOBS:-2}
(( at_once <= 2 )) || at_once=2
scripts/build.sh fuzz fuzzers
mapfile -t known < <(cd tests/fuzz && printf '%s\n' *_fuzz.cpp | sed 's/_fuzz\.cpp$//')
targets=("${@:-${known[@]}}")

# run_one TARGET: its log and its exit code are left in build/fuzz/runs.
run_one() {
    local name=$1 code=0 dictionary=()
    local corpus=build/fuzz/corpus/$name findings=build/fuzz/findings/$name
    mkdir -p "$corpus" "$findings"
    find "$findings" -type f -delete
    [[ ! -f tests/fuzz/$name.dict ]] || dictionary=("-dict=tests/fuzz/$name.dict")
    [[ $name != config ]] || dictionary=("-dict=build/fuzz/runs/config.dict")
    # A target that finds something is started again for what is left of its time, up to ten times: one finding hides no other.
    local log=build/fuzz/runs/$name.log end=$((SECONDS + seconds)) left
    find "$corpus" "tests/fuzz/corpus/$name" -type f | wc -l >"build/fuzz/runs/$name.before"
    : >"$log"
    for _ in 1 2 3 4 5 6 7 8 9 10; do
        left=$((end - SECONDS))
        (( left > 0 )) || break
        code=0
        "build/fuzz/tests/fuzz/${name}_fuzz" -max_total_time="$left" -timeout=30 -rss_limit_mb=2048 -print_final_stats=1 \
            -verbosity=1 "${dictionary[@]}" -artifact_prefix="$findings/" "$corpus" "tests/fuzz/corpus/$name" \
            </dev/null >>"$log" 2>&1 || code=$?
        (( code != 0 )) || break
    done
}

for name in "${targets[@]}"; do
    [[ -x build/fuzz/tests/fuzz/${name}_fuzz ]] || { echo "fuzz.sh: no target \"$name\"; there are: ${known[*]}" >&2; exit 2; }
done
mkdir -p build/fuzz/runs
/usr/bin/python3 -B scripts/fuzz_dictionary.py config/vigil.schema.json >build/fuzz/runs/config.dict
echo "${#targets[@]} targets, $seconds s each, $at_once at a time"
trap 'kill $(jobs -p) 2>/dev/null || true' EXIT
for name in "${targets[@]}"; do
    while (( $(jobs -rp | wc -l) >= at_once )); do wait -n || true; done
    run_one "$name" &
done
wait
exec /usr/bin/python3 -B scripts/fuzz_summary.py "${targets[@]}"
