"""What a ctest name says of nasty cases, and the table of them in docs/nasty-cases.md.

The page says by hand what each case is; the list of the tests that show it, below its last heading, is written from the names
that ctest knows. check() gives every way in which the two differ.
"""
import json
import re
import subprocess

HEADING = "## The tests that show them"
COLUMNS = "| case | level | test |\n|---|---|---|\n"
# "nasty 24: ...", "nasty 22, 24, 29: ..." of doctest; "nasty case 9 and 73: ..." of the end-to-end cases.
NUMBERED = re.compile(r"\bnasty (?:case )?(\d+b?(?:(?:, | and )\d+b?)*):")
MENTION = re.compile(r"\bnasty (?:case )?\d", re.IGNORECASE)
ROW = re.compile(r"^\| (\d+b?) \| (.*) \|$", re.MULTILINE)
LEVELS = ("unit", "simulation", "property", "fuzz", "component", "e2e", "systemd")


def numbers_of(name):
    """The numbers that a test's name bears, as texts ("85b" is one)."""
    found = NUMBERED.search(name)
    return re.findall(r"\d+b?", found[1]) if found else []


def place_of(number):
    """For sorting: 85 before 85b before 86."""
    return int(number.rstrip("b")), number


def tests_of(ctest, build):
    """The tests of a build as (name, level); None while programs of it are still to be built."""
    listed = subprocess.run([ctest, "--test-dir", build, "--show-only=json-v1"], capture_output=True, text=True, check=True)
    found = []
    for test in json.loads(listed.stdout)["tests"]:
        if test["name"].endswith("_NOT_BUILT"):
            return None
        labels = next((p["value"] for p in test.get("properties", []) if p["name"] == "LABELS"), [])
        found.append((test["name"], level_of(test["name"], labels)))
    return found


def level_of(name, labels):
    start = name.partition("/")[0]
    return next((level for level in LEVELS if level in labels or level == start), start)


def split(page):
    """What is written by hand, and the list of tests."""
    hand, heading, listed = page.partition(HEADING + "\n")
    if not heading:
        raise ValueError(f"the page has no heading '{HEADING}'")
    return hand, listed


def table(tests):
    rows = [(place_of(number), LEVELS.index(level) if level in LEVELS else 0, name, level)
            for name, level in tests for number in numbers_of(name)]
    return COLUMNS + "".join(f"| {number} | {level} | {name.replace('|', chr(92) + '|')} |\n"
                             for (_, number), _, name, level in sorted(rows))


def written(page, tests):
    """The page with the list of tests as it ought to be."""
    return f"{split(page)[0]}{HEADING}\n\n{table(tests)}"


def described(page):
    """The numbers of the cases that the page describes, and of those that it says why they are not shown."""
    hand, _ = split(page)
    cases, heading, reasons = hand.partition("## What cannot be shown")
    if not heading:
        raise ValueError("the page has no heading '## What cannot be shown'")
    return [row[1] for row in ROW.finditer(cases)], [row[1] for row in ROW.finditer(reasons)]


def check(page, tests):
    """Everything that is wrong, a line each."""
    cases, reasons = described(page)
    wrong = [f"case {number} is described twice" for number in sorted(set(cases), key=place_of) if cases.count(number) > 1]
    last = max((place_of(number)[0] for number in cases), default=0)
    wrong += [f"case {number} is not described, though there is a case {last}" for number in range(1, last + 1)
              if str(number) not in cases]
    shown = {number for name, _ in tests for number in numbers_of(name)}
    wrong += [f"case {number} has no test that bears its number, and no reason why there is none"
              for number in cases if number not in shown and number not in reasons]
    wrong += [f"there is a reason for case {number}, which is not described" for number in reasons if number not in cases]
    for name, _ in tests:
        if MENTION.search(name) and not numbers_of(name):
            wrong.append(f"the number of this test is not read; write 'nasty 24: ...' or 'nasty 22, 24: ...': {name}")
        wrong += [f"this test bears the number of case {number}, which is not described: {name}"
                  for number in numbers_of(name) if number not in cases]
    if not wrong and page != written(page, tests):
        wrong.append("the list of tests is not what ctest knows; scripts/nasty-cases.sh writes it anew")
    return wrong
