"""The check of docs/nasty-cases.md finds what it is for: each case here spoils a good page or a good list of tests."""
import sys

import nasty_cases

TESTS = [("core/nasty 1: a start fails", "unit"), ("e2e/x/nasty case 2 and 3: an end", "e2e"), ("core/other", "unit")]
HAND = """# Cases

| number | what |
|---|---|
| 1 | a |
| 2 | b |
| 3 | c |
| 3b | d |

## What cannot be shown

| 3b | no machine for it |

"""
PAGE = nasty_cases.written(HAND + nasty_cases.HEADING + "\n", TESTS)


def expect(part, page=PAGE, tests=TESTS):
    wrong = nasty_cases.check(page, tests)
    assert any(part in line for line in wrong), f"{part!r} is not in {wrong}"


def a_good_page_is_good():
    assert nasty_cases.check(PAGE, TESTS) == [], nasty_cases.check(PAGE, TESTS)
    assert nasty_cases.written(PAGE, TESTS) == PAGE, "written twice is written once"


def a_case_without_test_and_reason_is_found():
    expect("case 1 has no test", tests=TESTS[1:])
    expect("case 3b has no test", page=PAGE.replace("| 3b | no machine for it |\n", ""))


def a_case_that_is_left_out_or_there_twice_is_found():
    expect("case 2 is not described", page=PAGE.replace("| 2 | b |\n", ""))
    expect("case 1 is described twice", page=PAGE.replace("| 2 | b |", "| 1 | b |"))


def a_test_with_a_number_that_nobody_described_is_found():
    expect("case 4, which is not described", tests=[*TESTS, ("core/nasty 4: what", "unit")])


def a_reason_for_no_case_is_found():
    expect("which is not described", page=PAGE.replace("| 3b | no machine", "| 9 | no machine"))


def a_number_that_cannot_be_read_is_found():
    for name in ("core/nasty 1 no colon", "core/Nasty 1: capital", "core/nasty case 1; 2: both"):
        expect("is not read", tests=[*TESTS, (name, "unit")])


def a_test_that_came_went_or_was_renamed_makes_the_list_stale():
    expect("not what ctest knows", tests=[*TESTS, ("core/nasty 1: more", "unit")])
    expect("not what ctest knows", tests=[*TESTS[:-2], ("e2e/x/nasty case 2 and 3: the end", "e2e")])
    expect("not what ctest knows", page=PAGE + "| 1 | unit | core/nasty 1: gone |\n")
    expect("not what ctest knows", page=PAGE.replace("| 1 | unit |", "| 1 | e2e |"))


def numbers_are_read_in_every_spelling():
    for name, numbers in (("a/nasty 1: x", ["1"]), ("a/nasty 22, 24, 29: x", ["22", "24", "29"]), ("nasty case 85b: x", ["85b"]),
                          ("e/nasty case 9 and 73: x", ["9", "73"]), ("a/b 57: x", []), ("a/dynasty 5: x", [])):
        assert nasty_cases.numbers_of(name) == numbers, (name, nasty_cases.numbers_of(name))


if sys.argv[1] == "--list":
    print("\n".join(name for name, made in list(globals().items()) if callable(made) and name != "expect"))
else:
    globals()[sys.argv[1]]()
