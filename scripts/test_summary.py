#!/usr/bin/env python3
"""test_summary.py REPORT CODE: the closing lines of a test run.

Reads the JUnit report of ctest, names every skipped test with its reason and every failed one, and ends
with "N passed, N failed, N skipped". Exits 0 only if nothing failed and ctest, too, was content (CODE 0).
"""
import sys
import xml.etree.ElementTree as xml


def verdict(case):
    """passed, failed or skipped; a test that could not be started at all has failed."""
    status = case.get("status")
    if status == "run":
        return "passed"
    if status == "disabled":
        return "skipped"
    skipped = case.find("skipped")
    # ctest says "notrun" both for a test that skipped itself and for one whose program is missing.
    if status == "notrun" and skipped is not None and skipped.get("message", "").startswith("SKIP_"):
        return "skipped"
    return "failed"


def last_words(case):
    lines = [line.strip() for line in (case.findtext("system-out") or "").splitlines() if line.strip()]
    return lines[-1] if lines else "no reason given"


def main(report, code):
    try:
        cases = xml.parse(report).getroot().findall("testcase")
    except (OSError, xml.ParseError) as error:
        print(f"no test report: {error}", file=sys.stderr)
        return 1
    found = {"passed": [], "failed": [], "skipped": []}
    for case in cases:
        found[verdict(case)].append(case)
    print()
    for case in found["skipped"]:
        print(f"skipped: {case.get('name')}: {last_words(case)}")
    for case in found["failed"]:
        print(f"failed: {case.get('name')}")
    print(", ".join(f"{len(found[kind])} {kind}" for kind in ("passed", "failed", "skipped")))
    return 0 if code == 0 and not found["failed"] and cases else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], int(sys.argv[2])))
