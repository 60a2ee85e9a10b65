"""nasty_cases_main.py --ctest CTEST --build DIR [--write] PAGE: compares a page of nasty cases with the tests of a build, or
writes its list of tests anew. Ends with 77 while the build is not complete."""
import argparse
import difflib
import sys

import nasty_cases

SKIP_CODE = 77


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--ctest", required=True)
    parser.add_argument("--build", required=True)
    parser.add_argument("--write", action="store_true")
    parser.add_argument("page")
    arguments = parser.parse_args()
    tests = nasty_cases.tests_of(arguments.ctest, arguments.build)
    if tests is None:
        print(f"skipped: not all tests of {arguments.build} are built")
        sys.exit(SKIP_CODE)
    with open(arguments.page, encoding="utf-8") as file:
        page = file.read()
    if arguments.write:
        page = nasty_cases.written(page, tests)
        with open(arguments.page, "w", encoding="utf-8") as file:
            file.write(page)
    wrong = nasty_cases.check(page, tests)
    for line in wrong:
        print(f"{arguments.page}: {line}")
    if wrong:
        print("".join(difflib.unified_diff(page.splitlines(True), nasty_cases.written(page, tests).splitlines(True),
                                           "as it is", "as it ought to be", n=0)))
        sys.exit(1)
    cases, reasons = nasty_cases.described(page)
    rows = nasty_cases.table(tests).count("\n") - 2
    print(f"{len(cases)} cases, {rows} rows of tests, {len(reasons)} remarks on what cannot be shown")


main()
