#!/usr/bin/env python3
"""fuzz_summary.py TARGET...: what the runs of scripts/fuzz.sh did, a line a target, and the count of findings.

Reads build/fuzz/runs. A target that ended without the statistics of a whole run counts as a finding, too: it has not
done what it was to do. Exits 1 if there is one.
"""
import pathlib
import re
import sys

RUNS = pathlib.Path("build/fuzz/runs")
FINDINGS = pathlib.Path("build/fuzz/findings")


def first_coverage(log):
    """Edges that the seeds alone reach."""
    found = re.search(r"INITED cov: (\d+)", log)
    return int(found.group(1)) if found else 0


def look_at(name):
    log = (RUNS / f"{name}.log").read_text(errors="replace")
    executions = sum(map(int, re.findall(r"stat::number_of_executed_units: *(\d+)", log)))
    seconds = sum(map(int, re.findall(r"Done \d+ runs in (\d+) second", log)))
    coverage = [int(edges) for edges in re.findall(r" cov: (\d+)", log)]
    before = int((RUNS / f"{name}.before").read_text())
    after = sum(1 for place in (pathlib.Path("build/fuzz/corpus") / name, pathlib.Path("tests/fuzz/corpus") / name)
                for entry in place.iterdir() if entry.is_file())
    inputs = sorted(entry for entry in (FINDINGS / name).iterdir() if entry.is_file())
    whole = bool(re.search(r"Done \d+ runs in", log))
    return {"name": name, "executions": executions, "rate": executions // seconds if seconds else 0,
            "edges": (first_coverage(log), max(coverage, default=0)), "inputs": (before, after),
            "findings": inputs, "whole": whole}


def main(names):
    rows = [look_at(name) for name in names]
    print(f"\n{'target':<10} {'executions':>12} {'exec/s':>8} {'edges':>15} {'corpus':>15} {'findings':>9}")
    for row in rows:
        edges, inputs = (f"{a} -> {b}" for a, b in (row["edges"], row["inputs"]))
        print(f"{row['name']:<10} {row['executions']:>12} {row['rate']:>8} {edges:>15} {inputs:>15} "
              f"{len(row['findings']):>9}")
    count = 0
    for row in rows:
        for finding in row["findings"]:
            print(f"finding: {finding}")
        if not row["whole"] and not row["findings"]:
            print(f"finding: {row['name']} did not run to its end: {RUNS / row['name']}.log")
        count += len(row["findings"]) or (0 if row["whole"] else 1)
    print(f"{len(rows)} targets, {count} findings")
    return 1 if count else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
