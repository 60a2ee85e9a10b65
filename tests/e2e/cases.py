"""What an end-to-end test file is made of: cases, skips, and a main() that CMake asks for the list of cases.

    @case(timeout=30)
    def nasty_24_a_task_that_ignores_sigterm_is_killed_at_its_stop_timeout():
        with Daemon({...}) as daemon: ...

    main()

The name of the function is the name of the case: underscores become blanks, and a leading nasty_24 becomes
"nasty case 24:", nasty_9_and_73 "nasty case 9 and 73:". Each case runs in a process of its own, so one cannot hinder the next.
"""
import argparse
import os
import re
import shutil
import sys
import time
import traceback

SKIP_CODE = 77

# Set by main(): the programs under test, and where they were built.
VIGILD = None
VIGILCTL = None
BUILD = None
# Everything that is waited for may take this much longer under a sanitizer.
PATIENCE = 1.0

_cases = {}


class Skip(Exception):
    """This machine cannot show what the case is about; the text says what is missing."""


def case(timeout=60, serial=False):
    """Registers a function as a test case. A serial one measures time and wants the machine for itself."""
    def register(function):
        name = function.__name__
        name = re.sub(r"^nasty_(\d+b?(?:_and_\d+b?)*)_", r"nasty case \1: ", name).replace("_", " ")
        assert name not in _cases, f"two cases are called {name}"
        _cases[name] = (function, timeout, serial)
        return function
    return register


def need_root(why="other users and their groups"):
    if os.geteuid() != 0:
        raise Skip(f"needs root for {why}")


def need_ordinary_user():
    need_root("starting the daemon as somebody else")
    need_program("setpriv")


def need_program(name):
    path = shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin:/usr/bin:/bin")
    if path is None:
        raise Skip(f"{name} is not installed")
    return path


def eventually(condition, limit=20.0, what=None):
    """Waits until condition() gives something true, and gives that. The limit is generous because it is only
    reached by a failure; no case gets slower by a larger one."""
    end = time.monotonic() + limit * PATIENCE
    pause = 0.005
    while True:
        got = condition()
        if got:
            return got
        if time.monotonic() > end:
            raise AssertionError(f"not within {limit * PATIENCE:g} s: {what or condition.__name__}; last: {got!r}")
        time.sleep(pause)
        pause = min(pause * 1.5, 0.05)


def always(condition, during, what):
    """condition() stays true for `during` seconds."""
    end = time.monotonic() + during
    while time.monotonic() < end:
        assert condition(), f"no longer true: {what}"
        time.sleep(0.02)


def now():
    return time.monotonic()


def equal(got, wanted, what=""):
    assert got == wanted, f"{what}: got {got!r}, wanted {wanted!r}"


def contains(text, *parts):
    for part in parts:
        assert part in text, f"{part!r} is not in:\n{text}"


def main():
    global VIGILD, VIGILCTL, BUILD, PATIENCE
    parser = argparse.ArgumentParser()
    parser.add_argument("--list", action="store_true", help="print timeout, serial and name of each case")
    parser.add_argument("--vigild")
    parser.add_argument("--vigilctl")
    parser.add_argument("--build")
    parser.add_argument("--sanitizer", default="")
    parser.add_argument("case", nargs="?")
    arguments = parser.parse_args()
    if arguments.list:
        for name, (_, timeout, serial) in _cases.items():
            print(f"{timeout}|{int(serial)}|{name}")
        return
    VIGILD, VIGILCTL, BUILD = (os.path.abspath(path) for path in
                               (arguments.vigild, arguments.vigilctl, arguments.build))
    PATIENCE = 3.0 if arguments.sanitizer else 1.0
    function = _cases[arguments.case][0]
    try:
        function()
    except Skip as reason:
        print(f"skipped: {reason}")
        sys.exit(SKIP_CODE)
    except Exception:
        traceback.print_exc()
        sys.exit(1)
